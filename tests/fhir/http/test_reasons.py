"""In development the FHIR server says by which line of its checklist it refuses; elsewhere it says nothing."""

from typing import Any

import pytest

from smart.explanation import HEADER
from tests.explained import identifiers
from tests.fhir.conftest import BASE, Introspection
from tests.fixture_types import Fetch

pytestmark = pytest.mark.one_engine

CLAIMS: dict[str, Any] = {"scope": "patient/Patient.r", "patient": "amy"}
REASONS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("TV-01 This needs an access token.", "Patient/amy", {"token": None}, {}),
    (
        "TV-18 the Authorization header holds no access token, or more than one",
        "Patient/amy", {"token": "two words"}, {},
    ),
    ("TV-05 the authorization server says that the token is not active", "Patient/amy", {}, {"active": False}),
    ("TV-07 the token is for another FHIR server", "Patient/amy", {}, {"aud": f"{BASE}-other"}),
    ("TV-03 the token has expired, or never says when it will", "Patient/amy", {}, {"exp": 1}),
    ("TV-22 the token is bound to a key, and came without a proof", "Patient/amy", {}, {"cnf": {}}),
    ("TV-20 no scope of the token covers r of Observation", "Observation/o-1", {}, {}),
    (
        "PC-20 patient/Patient.r covers this, and the token names nobody whose records it reaches",
        "Patient/amy", {}, {"patient": None},
    ),
    (
        "US-03 a user scope covers this, and the person is of no type that may write here",
        "Observation", {"method": "POST"},
        {"scope": "user/*.cruds", "patient": None, "fhirUser": f"{BASE}/Patient/amy", "__patients": ["amy"]},
    ),
    ("TV-20 no scope of the token covers c of Observation", "Observation", {"method": "POST"}, {}),
    ("SD-26 There is nothing here for you.", "Patient/ben", {}, {}),
    ("SD-23 This server does not do that.", "Patient/_history", {"method": "POST"}, {"scope": "patient/*.c"}),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(("reason", "path", "sent", "claims"), REASONS, ids=[row[0] for row in REASONS])
def test_each_refusal_says_why_in_development_alone(
    introspection: Introspection, records: None, fetch: Fetch, settings: Any, reason: str, path: str,
    sent: dict[str, Any], claims: dict[str, Any],
) -> None:  # fmt: skip
    introspection.knows(**{**CLAIMS, **claims})

    told = fetch(path, **sent)
    settings.SMARTAUTH_DEV = False
    silent = fetch(path, **sent)

    assert reason.partition(" ")[0] in identifiers()
    assert (told.headers[HEADER], told.status, told.text) == (reason, silent.status, silent.text)
    assert HEADER not in silent.headers
