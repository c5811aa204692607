"""The page of a FHIR server says when it was probed last, and with what result."""

from typing import Any

import pytest

from accounts import clock
from oauth.workbench.memory import probe_results, probe_runs
from oauth.workbench.memory.probe_results import ProbeResult, remember_probe
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


def test_a_server_that_is_probed_from_a_shell_says_with_what_result(
    operator: Operator, other_fhir_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe_results, "_results", Recent[str, ProbeResult](5))
    place = f"oauth/fhirserver/{other_fhir_server.pk}/change/"
    assert NEVER in operator.page(place)

    remember_probe(other_fhir_server.base, ProbeResult(clock.now(), "1 of 9 checks failed", ("expired",)))

    assert "</time>, from a shell: 1 of 9 checks failed: expired<" in operator.page(place)


def test_the_newest_of_a_run_from_the_home_page_and_one_from_a_shell_is_shown(
    operator: Operator, fhir_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe_results, "_results", Recent[str, ProbeResult](5))
    place, now = f"oauth/fhirserver/{fhir_server.pk}/change/", clock.now()
    run, _ = begin_run(fhir_server.base, "Mine", total=352, now=now)
    run.title = "of the home page"

    remember_probe(fhir_server.base, ProbeResult(now - 1, "of a shell"))
    assert ("of the home page" in (page := operator.page(place)), "of a shell" in page) == (True, False)

    remember_probe(fhir_server.base, ProbeResult(now + 1, "of a shell"))
    assert ("of the home page" in (page := operator.page(place)), "of a shell" in page) == (False, True)


def test_outside_development_nothing_is_said_of_it(operator: Operator, fhir_server: Any, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False
    settings.ALLOWED_HOSTS = ["testserver"]

    assert NEVER not in operator.page(f"oauth/fhirserver/{fhir_server.pk}/change/")
