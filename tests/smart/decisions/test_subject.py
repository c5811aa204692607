"""Who a token speaks for, by its claims alone."""

from typing import Any

import pytest

from smart.decisions.subject import InvalidClaims, Subject, read_subject

BASE = "https://fhir.example.org/r4"
NOW = 1000.0
CLAIMS: dict[str, Any] = {"aud": BASE, "exp": 1001, "scope": "patient/*.rs", "sub": "s", "client_id": "app"}


def subject(**changes: Any) -> Subject:
    claims = {**CLAIMS, **changes}
    return read_subject({name: value for name, value in claims.items() if value is not ...}, BASE, NOW)


@pytest.mark.requirement("SY-03")
@pytest.mark.parametrize(
    ("changes", "is_backend"),
    [
        ({"sub": "app"}, True),
        ({"sub": "s"}, False),
        ({"sub": ..., "client_id": ...}, False),
        ({"sub": "", "client_id": ""}, False),
        ({"sub": "app", "patient": "amy"}, False),
        ({"sub": "app", "fhirUser": "Practitioner/p"}, False),
    ],
)
def test_a_service_is_a_client_that_speaks_for_itself_alone(changes: dict[str, Any], is_backend: bool) -> None:
    assert subject(**changes).is_backend is is_backend


def test_a_person_has_the_patients_and_the_record_that_the_claims_name() -> None:
    found = subject(patient="amy", fhirUser=f"{BASE}/Practitioner/p", __patients=["amy", "a/b", 7, "ben"])

    assert (found.patient, found.patients) == ("amy", frozenset({"amy", "ben"}))
    assert found.own_record == ("Practitioner", "p")
    assert [scope.name for scope in found.scopes] == ["patient/*.rs"]


def test_a_service_has_no_patients_and_what_has_another_form_is_nothing() -> None:
    assert subject(sub="app", __patients=["amy"]).patients == frozenset()
    odd = subject(
        patient="a/b", __patients="amy", scope=["patient/*.rs"], fhirUser="https://other.example.org/Practitioner/p"
    )
    assert odd == Subject(())


@pytest.mark.requirement("TV-03", "TV-07", "TV-22")
@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.example.org/r4"}, {"aud": ...}, {"aud": [7]},
        {"exp": NOW}, {"exp": ...}, {"exp": True}, {"exp": "2000"},
        {"token_type": "DPoP"}, {"cnf": {"jkt": "x"}},
    ],
)  # fmt: skip
def test_a_token_for_elsewhere_or_out_of_time_or_bound_to_a_key_speaks_for_nobody(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidClaims):
        subject(**changes)


@pytest.mark.parametrize(
    "changes",
    [{"aud": [BASE, "x"]}, {"aud": f"{BASE}/"}, {"exp": 1000.5}, {"token_type": "BEARER"}, {"token_type": ...}],
)
def test_what_is_said_in_another_way_counts_as_well(changes: dict[str, Any]) -> None:
    assert subject(**changes).scopes


@pytest.mark.requirement("TV-05")
def test_without_claims_nobody_speaks() -> None:
    with pytest.raises(InvalidClaims):
        read_subject(None, BASE, NOW)
