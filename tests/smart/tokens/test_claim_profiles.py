"""Claim profiles: what each adds, in which form, and that none takes anything away (SD-17)."""

import json
from typing import Any

import pytest

from smart.tokens.claim_mapping import RESERVED, ClaimMapping, InvalidMapping, parse_mapping
from smart.tokens.claim_profiles import (
    CUSTOM,
    IssuedToken,
    extra_claims,
    jwt_claims,
    mapping_problem,
    profile_mapping,
    profiles,
)

BASE = "https://fhir.example.org/r4"
SCOPE = "launch/patient patient/*.rs user/Patient.r"
CLAIMS: dict[str, Any] = {
    "iss": "https://auth.example.org",
    "sub": "s-1",
    "aud": BASE,
    "client_id": "app",
    "exp": 2,
    "iat": 1,
    "scope": SCOPE,
    "patient": "amy",
    "encounter": "e-1",
    "tenant": "t-1",
}
LIST = ["launch/patient", "patient/*.rs", "user/Patient.r", "patient/*.read"]


def told(profile: str, *, fhir_user: str = "Patient/amy", **claims: Any) -> dict[str, Any]:
    return extra_claims(profile_mapping(profile, ""), IssuedToken({**CLAIMS, **claims}, fhir_user))


def told_by(text: str, *, fhir_user: str = "Patient/amy", **claims: Any) -> dict[str, Any]:
    return extra_claims(profile_mapping(CUSTOM, text), IssuedToken({**CLAIMS, **claims}, fhir_user))


@pytest.mark.requirement("SD-17")
@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("smart", {}),
        ("node", {"scp": LIST}),
        ("hapi", {"fhirUser": f"{BASE}/Patient/amy"}),
        ("google", {"patient_id": "amy"}),
        ("linuxforhealth", {"patient_id": "amy"}),
        (
            "aws",
            {"scp": LIST, "launch_response_patient": "Patient/amy", "fhirUser": f"{BASE}/Patient/amy"},
        ),
        (
            "microsoft",
            {"scp": SCOPE, "raw_scope": SCOPE, "fhirUser": f"{BASE}/Patient/amy", "roles": ["smartUser"]},
        ),
    ],
)
def test_each_profile_adds_what_its_server_reads(profile: str, expected: dict[str, Any]) -> None:
    assert told(profile) == expected


def test_every_profile_is_tried_above() -> None:
    assert set(profiles()) == {"smart", "node", "hapi", "google", "linuxforhealth", "aws", "microsoft"}


def test_a_practitioner_is_told_to_hapi_by_id() -> None:
    assert told("hapi", fhir_user="Practitioner/dr-green")["user"] == "dr-green"


@pytest.mark.parametrize(("person", "claims"), [("Practitioner/p", {"doctor": "Practitioner/p"}), ("Patient/amy", {})])
def test_who_is_no_practitioner_is_not_told_as_one(person: str, claims: dict[str, str]) -> None:
    assert told_by('{"doctor": {"from": "practitioner", "as": "reference"}}', fhir_user=person) == claims


@pytest.mark.requirement("SD-17")
@pytest.mark.parametrize("profile", sorted(profiles()))
def test_without_patient_and_person_nothing_is_made_up(profile: str) -> None:
    more = told(profile, fhir_user="", patient="", encounter="", scope="system/*.rs")

    assert set(more) <= {"scp", "raw_scope", "roles"}
    assert all(more.values())


@pytest.mark.requirement("SD-17")
def test_a_server_that_knows_only_fhir_user_hears_no_scope_for_another_patient() -> None:
    more = told("microsoft", fhir_user="Practitioner/dr-green")

    assert more["scp"] == more["raw_scope"] == "launch/patient user/Patient.r"


@pytest.mark.requirement("IN-02", "IN-03")
@pytest.mark.parametrize("profile", sorted(profiles()))
def test_no_profile_touches_what_the_standard_says(profile: str) -> None:
    more = told(profile)

    assert more.keys() & CLAIMS.keys() == set()
    assert {**more, **CLAIMS}.items() >= CLAIMS.items()


@pytest.mark.requirement("IN-03")
def test_what_an_ehr_tells_of_its_own_is_not_replaced_either() -> None:
    name = "https://ehr.example.org/ward"

    assert told_by(json.dumps({name: {"value": "another"}, "c": {"from": "sub"}}), **{name: "ward 3"}) == {"c": "s-1"}


@pytest.mark.parametrize("profile", sorted(set(profiles()) - {"smart"}))
def test_the_profiles_keep_the_rules_of_a_mapping_of_ones_own(profile: str) -> None:
    assert parse_mapping(json.dumps(profiles()[profile])) == profiles()[profile]


# A mapping of one's own -----------------------------------------------------------------------------------------------


@pytest.mark.requirement("SD-17")
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"from": "scope"}, SCOPE),
        ({"from": "scope", "as": "list"}, SCOPE.split()),
        ({"from": "scope_with_v1"}, f"{SCOPE} patient/*.read"),
        ({"from": "patient"}, "amy"),
        ({"from": "patient", "as": "reference"}, "Patient/amy"),
        ({"from": "patient", "as": "url"}, f"{BASE}/Patient/amy"),
        ({"from": "patient", "as": "list"}, ["amy"]),
        ({"from": "encounter", "as": "reference"}, "Encounter/e-1"),
        ({"from": "fhirUser"}, f"{BASE}/Patient/amy"),
        ({"from": "fhirUser", "as": "reference"}, "Patient/amy"),
        ({"from": "fhirUser", "as": "id"}, "amy"),
        ({"from": "sub"}, "s-1"),
        ({"from": "client_id"}, "app"),
        ({"from": "aud"}, BASE),
        ({"from": "tenant"}, "t-1"),
        ({"value": "x"}, "x"),
        ({"value": ["a", "b"]}, ["a", "b"]),
        ({"value": False}, False),
    ],
    ids=str,
)
def test_a_claim_is_told_in_the_form_that_was_written(rule: dict[str, Any], expected: Any) -> None:
    assert told_by(json.dumps({"c": rule})) == {"c": expected}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "not JSON", id="empty"),
        pytest.param("{", "not JSON", id="not JSON"),
        pytest.param("[" * 3000, "not JSON", id="deep"),
        pytest.param("[]", "must be a JSON object", id="a list"),
        pytest.param('[{"from": "sub"}]', "must be a JSON object", id="a list of rules"),
        pytest.param("{}", "must be a JSON object", id="nothing"),
        pytest.param(" " * 4001, "longer than", id="long"),
        pytest.param(json.dumps({f"c{n}": {"from": "scope"} for n in range(21)}), "1 to 20", id="many"),
        pytest.param('{"a": {"from": "sub"}, "a": {"from": "aud"}}', "twice", id="a name twice"),
        pytest.param('{"": {"from": "sub"}}', "cannot be the name", id="no name"),
        pytest.param('{"a b": {"from": "sub"}}', "cannot be the name", id="a blank in the name"),
        pytest.param('{"__patients": {"from": "sub"}}', "cannot be the name", id="a name of ours"),
        pytest.param('{"patient": {"value": "amy"}}', "patient has a meaning of its own", id="patient"),
        pytest.param('{"a": "sub"}', "a: write", id="a rule as text"),
        pytest.param('{"a": ["from"]}', "a: write", id="a rule as list"),
        pytest.param('{"a": {}}', "a: write", id="an empty rule"),
        pytest.param('{"a": {"from": "sub", "value": "x"}}', "a: write", id="from and value"),
        pytest.param('{"a": {"from": "sub", "format": "x"}}', "a: write", id="an unknown key"),
        pytest.param('{"a": {"from": "name"}}', "a: from must be one of scope,", id="an unknown source"),
        pytest.param('{"a": {"from": ["sub"]}}', "a: from must be one of", id="a list as source"),
        pytest.param('{"a": {"from": "patient", "as": "bare"}}', "a: as must be one of id, ref", id="an unknown form"),
        pytest.param('{"a": {"from": "scope", "as": ["list"]}}', "a: as must be one of text", id="a list as form"),
        pytest.param('{"a": {"from": "sub", "as": "url"}}', "a: as must be one of text", id="a form of others"),
        pytest.param('{"a": {"value": {"b": 1}}}', "a: value must be text", id="an object"),
        pytest.param('{"a": {"value": []}}', "a: value must be text", id="an empty list"),
        pytest.param('{"a": {"value": 1}}', "a: value must be text", id="a number"),
        pytest.param(r'{"a": {"value": "\ud800"}}', "a: value must be text", id="half a surrogate pair"),
        pytest.param(r'{"a": {"value": ["x", "y\u0000"]}}', "a: value must be text", id="NUL"),
        pytest.param('{"fhirUser": {"value": "Patient/ben"}}', "fhirUser", id="fhirUser made up"),
        pytest.param('{"fhirUser": {"from": "patient"}}', "fhirUser: can only", id="fhirUser from the patient"),
        pytest.param('{"fhirUser": {"from": "fhirUser", "as": "id"}}', "fhirUser: can only", id="fhirUser as id"),
    ],
)
def test_what_is_wrong_in_a_mapping_is_said(text: str, problem: str) -> None:
    with pytest.raises(InvalidMapping, match=problem):
        parse_mapping(text)


def test_as_many_claims_and_characters_as_may_be_are_read() -> None:
    twenty = json.dumps({f"c{number}": {"from": "scope"} for number in range(20)})

    assert len(parse_mapping(twenty + " " * (4000 - len(twenty)))) == 20


def test_fhir_user_may_be_told_in_the_form_that_it_has_anyway() -> None:
    assert parse_mapping('{"fhirUser": {"from": "fhirUser"}}') == {"fhirUser": {"from": "fhirUser"}}


@pytest.mark.requirement("IN-02")
@pytest.mark.parametrize(
    ("profile", "own", "good"),
    [
        ("smart", "", True),
        ("smart", "{", False),
        ("smart", '{"doctor": {"from": "practitioner"}}', True),
        (CUSTOM, "", False),
        (CUSTOM, "{", False),
    ],
)
def test_only_the_own_profile_needs_a_mapping_and_none_may_be_broken(profile: str, own: str, *, good: bool) -> None:
    assert (mapping_problem(profile, own) == "") is good


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_claim_with_a_meaning_of_its_own_can_be_set(name: str) -> None:
    with pytest.raises(InvalidMapping, match="meaning of its own"):
        parse_mapping(json.dumps({name: {"from": "sub"}}))


def test_every_claim_of_a_token_has_a_meaning_of_its_own() -> None:
    assert {*CLAIMS, "active", "token_type", "jti", "fhirContext", "need_patient_banner"} <= RESERVED


@pytest.mark.parametrize("text", ["", "{", '{"sub": {"value": "x"}}'])
def test_a_mapping_that_cannot_be_read_adds_nothing(text: str) -> None:
    assert told_by(text) == {}


# In the JWT -----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("SCP-21")
def test_a_jwt_carries_the_profile_unless_it_would_become_too_long() -> None:
    rules: ClaimMapping = {"scp": {"from": "scope", "as": "list"}, "patient_id": {"from": "patient"}}
    long = " ".join(f"patient/Observation.rs?code=http://loinc.org|{number}" for number in range(80))

    short_more = extra_claims(rules, IssuedToken(CLAIMS, ""))
    long_claims = {**CLAIMS, "scope": long}
    long_more = extra_claims(rules, IssuedToken(long_claims, ""))

    assert jwt_claims(CLAIMS, short_more) == {**CLAIMS, **short_more}
    assert jwt_claims(long_claims, long_more) == long_claims


@pytest.mark.requirement("SCP-21")
@pytest.mark.parametrize(("length", "fits"), [(5544, True), (5545, False)], ids=["the longest", "one more"])
def test_the_longest_jwt_still_carries_the_profile(length: int, fits: bool) -> None:
    more = {"x": "a" * (length - len(json.dumps({**CLAIMS, "x": ""})))}

    assert ("x" in jwt_claims(CLAIMS, more)) is fits
