"""The page of a FHIR server says when it was probed last, and with what result."""

from typing import Any

import pytest

from accounts import clock
from oauth.workbench.memory import probe_runs
from oauth.workbench.memory.probe_runs import ProbeRun, begin_run
from oauth.workbench.memory.recent import Recent
from tests.operators.admin.conftest import Operator

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
NEVER = "Not since this server started"


@pytest.fixture(autouse=True)
def nothing_was_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_runs, "_runs", Recent[int, ProbeRun](5))


def test_the_bundled_server_says_when_it_was_probed_and_with_what_result(operator: Operator, fhir_server: Any) -> None:
    place = f"oauth/fhirserver/{fhir_server.pk}/change/"
    assert NEVER in operator.page(place)

    run, _ = begin_run(fhir_server.base, "Mine", total=352, now=clock.now())
    run.made = 61
    assert f'<a href="{run.address}">61 of 352 checks so far</a>' in operator.page(place)

    run.title = "3 of 352 checks <failed>"
    page = operator.page(place)
    assert f'<a href="{run.address}">3 of 352 checks &lt;failed&gt;</a>' in page
    assert f'<time datetime="{run.began.isoformat()}">' in page


def test_a_server_that_is_not_probed_from_here_says_nothing_of_it(
    operator: Operator, fhir_server: Any, other_fhir_server: Any, settings: Any
) -> None:
    assert NEVER not in operator.page(f"oauth/fhirserver/{other_fhir_server.pk}/change/")

    settings.SMARTAUTH_DEV = False
    settings.ALLOWED_HOSTS = ["testserver"]
    assert NEVER not in operator.page(f"oauth/fhirserver/{fhir_server.pk}/change/")
