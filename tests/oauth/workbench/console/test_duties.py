"""Why a token that was called active must be refused, as far as the rows tell."""

from typing import Any

import pytest

from oauth.workbench.console.duties import with_duties
from oauth.workbench.console.row import Outcome, Row
from tests.conftest import BASE
from tests.fixture_types import MakeResourceServer


@pytest.mark.requirement("TV-07", "TV-14")
@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"audiences": (BASE,)}, ""),
        ({"audiences": (f"{BASE}/",)}, ""),
        ({"audiences": ("https://other.example.org/fhir", BASE)}, ""),
        ({"audiences": (f"{BASE}/longer",)}, "Its aud is no base that {asker} protects: the FHIR server must"),
        ({"audiences": ("…",)}, ""),
        ({"audiences": ()}, "It names no aud: the FHIR server must refuse it"),
        ({"audiences": (BASE,), "has_scope": False}, "It has no scope: the FHIR server must refuse what is asked"),
        ({"audiences": (BASE,), "outcome": Outcome.REFUSED}, ""),
    ],
)
def test_an_active_token_that_must_be_refused_says_why(
    make_resource_server: MakeResourceServer, about: dict[str, Any], reason: str
) -> None:
    asker = make_resource_server().client_id
    request = {"at": 0, "took": 1, "what": "Introspect", "answer": "active", "head": "", "status": 200}
    row = Row(**{**request, "outcome": Outcome.ACTIVE, "asker": asker, **about})

    found = with_duties([row])[0].reason

    assert found.startswith(reason.format(asker=asker))
    assert bool(found) == bool(reason)
