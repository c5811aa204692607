"""Which scopes an authorization request is granted, and what they make somebody choose."""

from dataclasses import replace

import pytest

from smart.authorize.request import validate_request
from smart.authorize.unvalidated_request import is_supported
from smart.scopes.scope import Scope
from tests.smart.authorize.good_request import BASES, CLIENT, GOOD, explained, good_parameters, refusal


@pytest.mark.requirement("E15", "E17", "SCP-19")
def test_scopes_that_cannot_be_granted_are_left_out_and_the_rest_is_granted() -> None:
    scope = (
        "launch/patient system/*.rs patient/Patient.read fhirUser unknown patient/Observation.rs?category=a "
        "patient/X.dus"
    )

    request = validate_request(good_parameters(scope=scope), CLIENT, BASES)

    assert request.scope == "launch/patient patient/Patient.read"
    assert request.requested_scope == scope
    assert request.left_out == (
        "system/*.rs", "fhirUser", "unknown", "patient/Observation.rs?category=a", "patient/X.dus"
    )  # fmt: skip


@pytest.mark.requirement("E15")
def test_a_strict_client_is_told_that_something_cannot_be_granted() -> None:
    strict = replace(CLIENT, refuses_unknown_scopes=True)

    assert validate_request(good_parameters(), strict, BASES).scope == GOOD["scope"]
    assert refusal(good_parameters(scope="patient/Patient.rs fhirUser"), strict) == (
        "invalid_scope",
        "some of the scopes cannot be granted to this client: fhirUser (is granted only together with openid)",
    )


@pytest.mark.requirement("E16", "SCP-17")
@pytest.mark.parametrize(
    ("launch", "reason"),
    [(None, "is granted only where an EHR launches the app"), ("h7", "is more than is registered for this client")],
    ids=["standalone", "launched"],
)
def test_a_refused_online_access_hears_whether_the_kind_of_launch_is_the_reason(
    launch: str | None, reason: str
) -> None:
    client = replace(CLIENT, grants=CLIENT.grants | {"refresh_token"})
    parameters = good_parameters(scope="launch online_access" if launch else "online_access", launch=launch)

    assert f"online_access ({reason})" in refusal(parameters, client)[1]
    assert explained(parameters, client).expected == client.scope


@pytest.mark.requirement("E16", "SCP-19")
def test_plain_openid_connect_hears_which_scopes_it_never_gets() -> None:
    client = replace(CLIENT, openid=True, scope="openid email")

    assert refusal(good_parameters(scope="launch/patient", aud=None), client)[1].endswith(
        ": launch/patient (is never granted to plain OpenID Connect)"
    )


@pytest.mark.requirement("SCP-16")
@pytest.mark.parametrize(
    ("scope", "left"),
    [
        ("openid fhirUser patient/Patient.rs", "openid fhirUser patient/Patient.rs"),
        ("openid profile", "openid profile"),
        ("fhirUser profile patient/Patient.rs", "patient/Patient.rs"),
        ("openid", "openid"),
    ],
)
def test_who_somebody_is_can_be_asked_with_openid_only(scope: str, left: str) -> None:
    client = replace(CLIENT, scope=f"{CLIENT.scope} openid fhirUser profile")

    assert validate_request(good_parameters(scope=scope), client, BASES).scope == left


@pytest.mark.requirement("E15", "SCP-20")
def test_a_scope_wider_than_the_clients_is_narrowed() -> None:
    request = validate_request(
        good_parameters(scope="patient/Patient.cruds"), replace(CLIENT, scope="patient/*.rs"), BASES
    )

    assert request.scope == "patient/Patient.rs"
    assert request.left_out == ("patient/Patient.cruds",)


@pytest.mark.requirement("SCP-08")
def test_types_are_those_of_the_version_behind_aud() -> None:
    client = replace(CLIENT, bases=tuple(BASES))
    scope = "patient/Sequence.rs patient/MolecularSequence.rs"

    r4 = validate_request(good_parameters(scope=scope), client, BASES)
    stu3 = validate_request(good_parameters(scope=scope, aud="https://auth.example.org/fhir/stu3"), client, BASES)

    assert (r4.fhir_version, r4.scope) == ("r4", "patient/MolecularSequence.rs")
    assert (stu3.fhir_version, stu3.scope) == ("stu3", "patient/Sequence.rs")


@pytest.mark.requirement("AZ-11")
@pytest.mark.parametrize("scope", ["patient/Patient.rs", "launch/patient", "patient/*.read launch/patient"])
def test_a_patient_scope_needs_a_patient(scope: str) -> None:
    assert validate_request(good_parameters(scope=scope), CLIENT, BASES).needs_patient


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("launch/patient", True),
        ("patient/Observation.read", True),
        ("patient/*.cruds", True),
        ("patient/Observation.rs?category=a", False),
        ("patient/Observation.rs?category=http://x.example/s|a", True),
        ("patient/Observation.rs?code=http://loinc.org|4548-4&category=http://x.example/s|a", True),
        ("user/Condition.rs?category=http://x.example/s|a,http://x.example/s|b", True),
        ("patient/Observation.rs?category=http://x.example/s|a,b", False),
        ("patient/Observation.rs?category=http://x.example/s|", False),
        ("patient/Observation.rs?category=|a", False),
        ("patient/Observation.rs?category:not=http://x.example/s|a", False),
        ("patient/Observation.rs?code:in=http://x.example/v|a", False),
        ("patient/Observation.rs?status=http://x.example/s|a", False),
        ("patient/Observation.rs?subject.name=http://x.example/s|a", False),
        ("patient/Observation.rs?_filter=http://x.example/s|a", False),
        ("patient/Immunization.rs?category=http://x.example/s|a", False),
        ("patient/Observation.rs?code=a|b,c|d", True),
        ("patient/Observation.rs?code=a|b%2Cc|d", True),
        ("patient/Observation.rs?code=a|b%20patient/*.cruds", False),
        ("patient/Observation.rs?code=a|%5C,patient/*.*", False),
        ("patient/Observation.rs?code=a|b%09c", False),
        ("patient/*.rs?category=http://x.example/s|a", False),
        ("user/Patient.rs", True),
        ("user/*.*", True),
        ("system/Patient.rs", False),
        ("openid", True),
        ("fhirUser", True),
        ("profile", True),
        ("email", False),
        ("offline_access", True),
        ("online_access", True),
        ("launch", True),
        ("launch/encounter", True),
        ("launch/imagingstudy", False),
    ],
)
def test_what_can_be_granted_at_all(name: str, expected: bool) -> None:
    assert is_supported(Scope.parse(name)) is expected


LAB = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
REFRESHING = replace(
    CLIENT,
    grants=frozenset({"authorization_code", "refresh_token"}),
    scope=f"{CLIENT.scope} launch launch/encounter offline_access online_access patient/Observation.rs?category={LAB}",
)


@pytest.mark.requirement("SCP-09", "SCP-10", "E17")
def test_a_restriction_that_can_be_evaluated_is_granted_as_it_was_asked() -> None:
    escaped = f"patient/Observation.rs?category={LAB}".replace("|", "%7C")

    assert validate_request(good_parameters(scope=escaped), REFRESHING, BASES).scope == escaped
    assert (
        validate_request(good_parameters(scope=escaped), replace(REFRESHING, scope="patient/*.rs"), BASES).scope
        == escaped
    )


@pytest.mark.requirement("SCP-06", "SCP-20")
def test_what_a_client_may_have_only_in_part_is_narrowed_to_that_part() -> None:
    client = replace(CLIENT, scope=f"patient/Observation.rs?category={LAB}")

    assert (
        validate_request(good_parameters(scope="patient/Observation.read patient/Condition.rs"), client, BASES).scope
        == client.scope
    )


@pytest.mark.requirement("CG-07", "WF-07")
@pytest.mark.parametrize("prompt", [None, "login"])
def test_offline_access_needs_the_refresh_grant_and_no_prompt(prompt: str | None) -> None:
    scope = "patient/Patient.rs offline_access"

    assert validate_request(good_parameters(scope=scope, prompt=prompt), REFRESHING, BASES).scope == scope
    without = replace(REFRESHING, grants=CLIENT.grants)
    assert validate_request(good_parameters(scope=scope, prompt=prompt), without, BASES).left_out == ("offline_access",)


@pytest.mark.requirement("SCP-17")
@pytest.mark.parametrize(
    ("scope", "launch", "granted"),
    [
        ("launch patient/Patient.rs online_access", "hLk29x", True),
        ("patient/Patient.rs online_access", None, False),
        ("patient/Patient.rs online_access", "hLk29x", False),
    ],
)
def test_online_access_is_for_a_launch_from_an_ehr(scope: str, launch: str | None, granted: bool) -> None:
    request = validate_request(good_parameters(scope=scope, launch=launch), REFRESHING, BASES)

    assert ("online_access" in request.scope.split()) is granted


@pytest.mark.requirement("SCP-17")
def test_online_access_is_not_promised_to_a_client_that_cannot_refresh() -> None:
    launch = good_parameters(scope="launch patient/Patient.rs online_access", launch="hLk29x")

    request = validate_request(launch, replace(REFRESHING, grants=CLIENT.grants), BASES)

    assert request.scope == "launch patient/Patient.rs"
    assert request.left_out == ("online_access",)


@pytest.mark.requirement("AZ-11", "AZ-12")
@pytest.mark.parametrize(
    ("scope", "patient", "encounter"),
    [
        ("patient/Patient.rs", True, False),
        ("launch/encounter", True, True),
        ("launch/patient launch/encounter patient/*.rs", True, True),
        ("user/*.rs", False, False),
        ("user/*.rs patient/Patient.rs", True, False),
    ],
)
def test_what_must_be_chosen_follows_from_the_scopes(scope: str, patient: bool, encounter: bool) -> None:
    request = validate_request(good_parameters(scope=scope), REFRESHING, BASES)

    assert (request.needs_patient, request.needs_encounter) == (patient, encounter)
    assert request.has_user_scopes is scope.startswith("user/")


@pytest.mark.requirement("SCP-21")
@pytest.mark.parametrize(("count", "refused"), [(100, False), (101, True)])
def test_more_restricted_scopes_than_anybody_needs_are_refused(count: int, refused: bool) -> None:
    scope = " ".join(f"patient/Observation.rs?code=http://loinc.org|{number}" for number in range(count))
    client = replace(CLIENT, scope="patient/*.rs")

    if refused:
        assert refusal(good_parameters(scope=scope), client) == (
            "invalid_scope",
            "scope names more than 100 restricted scopes",
        )
    else:
        assert validate_request(good_parameters(scope=f"{scope} {scope}"), client, BASES).scope == scope
