"""What a client hears of scopes that cannot be granted."""

from dataclasses import replace

import pytest

from smart.clients.scope_refusal import MOST, scope_refusal
from smart.clients.scope_rules import ScopeHolder

APP = ScopeHolder(frozenset({"authorization_code", "refresh_token"}), ("r4",))
SERVICE = ScopeHolder(frozenset({"client_credentials"}), ("r4",))
BOUND = replace(SERVICE, patient="amy")


@pytest.mark.requirement("E15", "E16")
@pytest.mark.parametrize(
    ("holder", "scope", "reason"),
    [
        (APP, "patient/Patient.rs", "is more than is registered for this client"),
        (APP, "online_access", "is granted only where an EHR launches the app"),
        (SERVICE, "patient/Patient.rs", "the client is bound to no patient"),
        (SERVICE, "user/Patient.rs", "a backend service has no user"),
        (BOUND, "patient/Patient.rs", "is more than is registered for this client"),
        (BOUND, "system/Patient.rs", "is more than is registered for this client"),
        (SERVICE, "system/Patient.rs", "is more than is registered for this client"),
    ],
)
def test_each_scope_stands_with_its_reason(holder: ScopeHolder, scope: str, reason: str) -> None:
    error = scope_refusal(scope, "", holder, is_ehr_launch=False)

    assert error.code == "invalid_scope"
    assert error.description == f"none of the scopes can be granted to this client: {scope} ({reason})"


@pytest.mark.requirement("E15")
def test_only_what_is_left_out_is_named() -> None:
    error = scope_refusal("patient/Patient.rs patient/Goal.rs", "patient/Patient.rs", APP)

    assert "patient/Goal.rs (" in error.description
    assert "patient/Patient.rs" not in error.description


@pytest.mark.requirement("E16")
def test_many_and_long_names_make_no_long_description() -> None:
    error = scope_refusal(" ".join(f"unknown-{number}-{'x' * 500}" for number in range(200)), "", APP)

    assert len(error.description) < 1000
    assert error.description.endswith(f"and {200 - MOST} more")


@pytest.mark.requirement("E16")
@pytest.mark.parametrize(
    ("holder", "reason"),
    [
        (BOUND, "is not granted beside scopes of one patient"),
        (SERVICE, "is more than is registered for this client"),
    ],
    ids=["bound to a patient", "bound to none"],
)
def test_a_system_scope_is_not_granted_beside_scopes_of_one_patient(holder: ScopeHolder, reason: str) -> None:
    error = scope_refusal("patient/Patient.rs system/Goal.rs", "patient/Patient.rs", holder)

    assert error.description.endswith(f": system/Goal.rs ({reason})")


def test_an_app_that_an_ehr_launches_may_have_online_access() -> None:
    assert scope_refusal("online_access", "", APP).description.endswith("(is more than is registered for this client)")


@pytest.mark.parametrize(
    ("granted", "registered", "expected"), [("", "", ""), ("", "openid", "openid"), ("launch", "openid", "launch")]
)
def test_what_could_be_granted_is_explained_to_developers(granted: str, registered: str, expected: str) -> None:
    found = [scope_refusal("launch fhirUser", granted, APP, registered=registered)]
    found += [scope_refusal("launch fhirUser", granted, APP)] if not registered else []

    assert {error.why["expected"] for error in found} == {expected}
    assert {error.why["presented"] for error in found} == {"launch fhirUser"}


@pytest.mark.requirement("E15", "E16", "E17", "E96", "E98")
@pytest.mark.parametrize(
    ("holder", "requested", "granted", "case"),
    [
        (APP, "launch unknown", "launch", "E15"),
        (APP, "unknown", "", "E16"),
        (APP, "system/*.rs unknown", "", "E16"),
        (APP, "system/*.rs patient/Observation.rs?code=a", "", "E17"),
        (SERVICE, "system/Goal.rs", "", "E96"),
        (SERVICE, "system/Goal.rs launch", "", "E96"),
        (SERVICE, "user/Goal.rs launch", "", "E98"),
        (SERVICE, "system/Patient.rs user/Goal.rs", "system/Patient.rs", "E98"),
    ],
)
def test_a_refusal_names_its_row_of_the_bad_input(holder: ScopeHolder, requested: str, granted: str, case: str) -> None:
    assert scope_refusal(requested, granted, holder).why["case"] == case


@pytest.mark.requirement("SCP-16")
@pytest.mark.parametrize(
    ("openid", "requested", "granted", "reason"),
    [
        (False, "fhirUser", "", "is granted only together with openid"),
        (False, "openid fhirUser", "openid", "is more than is registered for this client"),
        (False, "launch", "", "is more than is registered for this client"),
        (True, "email", "", "is granted only together with openid"),
        (True, "openid email", "openid", "is more than is registered for this client"),
    ],
)
def test_what_is_nothing_without_openid_says_so_where_it_is_missing(
    openid: bool, requested: str, granted: str, reason: str
) -> None:
    error = scope_refusal(requested, granted, replace(APP, openid=openid))

    assert error.description.endswith(f" ({reason})")


@pytest.mark.parametrize(("count", "end"), [(5, "such scope)"), (6, "such scope) and 1 more")])
def test_five_scopes_are_named_and_the_others_counted(count: int, end: str) -> None:
    error = scope_refusal(" ".join(f"unknown-{number}" for number in range(count)), "", APP)

    assert error.description.count("unknown-") == 5
    assert error.description.endswith(end)
