"""Which scopes a client may be registered for, each refused one with its sentence."""

from dataclasses import replace

import pytest

from smart.clients.scope_rules import ScopeHolder, scope_problems

APP = ScopeHolder(frozenset({"authorization_code", "refresh_token"}), ("r4",))
SERVICE = ScopeHolder(frozenset({"client_credentials"}), ("r4",))
BOTH = ScopeHolder(APP.grants | SERVICE.grants, ("r4",))
OPENID = ScopeHolder(APP.grants, openid=True)
NOBODY = ScopeHolder(frozenset({"refresh_token"}))

NO_TYPE = "has no resource type"
ANY = "DSTU2 or STU3 or R4 or R4B or R5"
RESTRICTED = "can be restricted only by category or code of Observation and Condition, each as system|code."


@pytest.mark.requirement("SCP-19")
@pytest.mark.parametrize(
    ("holder", "scope"),
    [
        (APP, "launch launch/patient openid fhirUser offline_access online_access patient/*.rs user/Patient.read"),
        (APP, "patient/Observation.rs?category=http://x|laboratory"),
        (APP, "openid profile"),
        (SERVICE, "system/*.rs patient/Patient.rs system/Observation.rs?code=http://x|1"),
        (SERVICE, "patient/Patient.rs?family=Lee"),  # that the patient is missing is said of the patient
        (BOTH, "openid patient/*.rs system/*.rs"),
        (OPENID, "openid profile email offline_access"),
        (OPENID, ""),
        (NOBODY, ""),
    ],
)
def test_what_can_be_granted_may_be_registered(holder: ScopeHolder, scope: str) -> None:
    assert scope_problems(scope, holder) == []


@pytest.mark.requirement("SCP-08", "SCP-19")
@pytest.mark.parametrize(
    ("holder", "scope", "problems"),
    [
        (NOBODY, "openid x", ["a client without authorization_code and client_credentials is granted no scope."]),
        (APP, "patient/x", ["patient/x: we know no such scope."]),
        (APP, "é", ["\\xe9: we know no such scope."]),
        (APP, "x" * 300, [f"{'x' * 200}: we know no such scope."]),
        (APP, "openid,profile", ["openid,profile: scopes are separated by spaces."]),
        (APP, "openid;x", ["openid;x: scopes are separated by spaces."]),
        (APP, "x|launch", ["x|launch: scopes are separated by spaces."]),
        (APP, "x,y", ["x,y: we know no such scope."]),
        (APP, "openid,", ["openid,: we know no such scope."]),
        (APP, "patient/Observaton.rs", [f"patient/Observaton.rs: R4 {NO_TYPE} Observaton. Did you mean Observation?"]),
        (APP, "patient/Qqq.rs", [f"patient/Qqq.rs: R4 {NO_TYPE} Qqq."]),
        (replace(APP, versions=("r4", "r5", "r4")), "user/Qqq.rs", [f"user/Qqq.rs: R4 or R5 {NO_TYPE} Qqq."]),
        (replace(APP, versions=()), "user/Qqq.rs", [f"user/Qqq.rs: {ANY} {NO_TYPE} Qqq."]),
        (APP, "system/*.rs", ["system/*.rs: only a backend service may have it."]),
        (APP, "fhirUser", ["fhirUser: is granted only together with openid."]),
        (
            APP,
            "profile fhirUser",
            [f"{name}: is granted only together with openid." for name in ("fhirUser", "profile")],
        ),
        (APP, "openid email", ["email: only plain OpenID Connect is granted it."]),
        (APP, "patient/Patient.rs?family=Lee", [f"patient/Patient.rs?family=Lee: {RESTRICTED}"]),
        (SERVICE, "launch", ["launch: only an app that people use may have it."]),
        (SERVICE, "fhirUser", ["fhirUser: only an app that people use may have it."]),
        (SERVICE, "user/*.rs", ["user/*.rs: a backend service has no user."]),
        (SERVICE, "system/Patient.rs?family=Lee", [f"system/Patient.rs?family=Lee: {RESTRICTED}"]),
        (
            replace(SERVICE, patient="amy"),
            "patient/Patient.rs?family=Lee",
            [f"patient/Patient.rs?family=Lee: {RESTRICTED}"],
        ),
        (BOTH, "email openid", ["email: only plain OpenID Connect is granted it."]),
        (OPENID, "openid launch/patient", ["launch/patient: is never granted to plain OpenID Connect."]),
        (OPENID, "profile", ["openid is missing, and plain OpenID Connect is granted nothing without it."]),
    ],
)
def test_what_is_never_granted_is_named_with_its_reason(holder: ScopeHolder, scope: str, problems: list[str]) -> None:
    assert scope_problems(scope, holder) == problems


@pytest.mark.requirement("SCP-17")
@pytest.mark.parametrize("scope", ["offline_access", "online_access"])
def test_an_app_without_the_refresh_grant_may_not_stay_connected(scope: str) -> None:
    app = ScopeHolder(frozenset({"authorization_code"}), ("r4",))

    assert scope_problems(scope, app) == [f"{scope}: only an app that may stay connected (refresh_token) may have it."]


def test_a_hundred_restricted_scopes_are_enough() -> None:
    restricted = [f"patient/Observation.rs?code=http://x|{number}" for number in range(101)]

    assert scope_problems(" ".join(restricted[:100]), APP) == []
    assert scope_problems(" ".join(restricted), APP) == ["at most 100 restricted scopes."]


def test_an_unknown_type_is_known_where_one_of_the_servers_knows_it() -> None:
    of_r5 = "patient/NutritionIntake.rs"

    assert scope_problems(of_r5, replace(APP, versions=("r4", "r5"))) == []
    assert scope_problems(of_r5, APP) != []
