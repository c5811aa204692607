"""What tokens say under a claim profile: in the JWT, in introspection, and never in the token answer (SD-17)."""

import base64
import json
import secrets
from typing import Any, Protocol

import pytest

from oauth.models import FhirIdentity, FhirServer
from smart.tokens.claim_profiles import profiles
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Issue, MakePerson, MakeResourceServer

SCOPE = "launch/patient patient/*.rs patient/Observation.c"


class MakeServer(Protocol):
    def __call__(self, **fields: Any) -> FhirServer: ...


class Answers(Protocol):
    def __call__(self, server: FhirServer, *, scope: str = SCOPE) -> tuple[Any, Any, Any]: ...


@pytest.fixture
def make_server(committed: None) -> MakeServer:
    """A new FHIR server with those settings."""

    def make(**fields: Any) -> FhirServer:
        base = f"https://{secrets.token_hex(6)}.example.org/fhir"
        return FhirServer.objects.create(base=base, name="Example Hospital", **fields)

    return make


@pytest.fixture
def told(app: App, issue: Issue, make_resource_server: MakeResourceServer, make_person: MakePerson) -> Answers:
    """The token answer, the claims of its JWT ({} for an opaque one) and the introspection answer."""

    def tell(server: FhirServer, *, scope: str = SCOPE) -> tuple[Any, Any, Any]:
        person = make_person("amy")
        FhirIdentity.objects.create(user=person, fhir_server=server, resource="Patient/amy")
        answer = issue(None, person, server=server, scope=scope)
        caller = basic(make_resource_server(server).client_id, SECRET)
        asked = app.post("/o/introspect", data={"token": answer["access_token"]}, headers=caller)
        return answer, claims_of(answer["access_token"]), asked.json()

    return tell


def claims_of(token: str) -> dict[str, Any]:
    if "." not in token:
        return {}
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


@pytest.mark.requirement("SD-17", "IN-02", "IN-03")
@pytest.mark.parametrize("profile", sorted(profiles()))
def test_a_profile_adds_the_same_members_to_introspection_and_jwt_and_changes_none(
    make_server: MakeServer, told: Answers, profile: str
) -> None:
    server = make_server(claim_profile=profile)

    answer, jwt, asked = told(server)

    granted = answer["granted"]
    standard = {
        "iss": "http://127.0.0.1:8000",
        "aud": server.base,
        "sub": granted.person.subject,
        "client_id": granted.client.client_id,
        "scope": answer["scope"],
        "patient": "amy",
    }
    added = asked.keys() - {*standard, "active", "token_type", "iat", "exp"}
    assert asked.items() >= {**standard, "active": True, "token_type": "Bearer"}.items()
    assert jwt.items() >= standard.items()
    assert jwt.keys() - {*standard, "iat", "exp", "jti"} == added
    assert {name: asked[name] for name in added} == {name: jwt[name] for name in added}
    assert bool(added) == (profile != "smart")
    assert (answer["scope"], added & answer.keys()) == (SCOPE, set())


@pytest.mark.requirement("SD-17", "TK-07")
def test_a_mapping_of_ones_own_shapes_both(make_server: MakeServer, told: Answers) -> None:
    mapping = {"record": {"from": "patient", "as": "url"}, "groups": {"value": ["smart"]}}
    server = make_server(claim_profile="custom", claim_mapping=json.dumps(mapping))

    _, jwt, asked = told(server)

    expected = {"record": f"{server.base}/Patient/amy", "groups": ["smart"]}
    assert jwt.items() >= expected.items()
    assert asked.items() >= expected.items()


def test_an_opaque_token_says_the_same_when_asked(make_server: MakeServer, told: Answers) -> None:
    _, jwt, asked = told(make_server(claim_profile="google", token_format="opaque"))

    assert (jwt, asked["patient_id"]) == ({}, "amy")


@pytest.mark.parametrize("mapping", ["", "{", '{"patient": {"value": "ben"}}'])
def test_a_mapping_that_somebody_broke_in_the_database_adds_nothing(
    make_server: MakeServer, told: Answers, mapping: str
) -> None:
    _, jwt, asked = told(make_server(claim_profile="custom", claim_mapping=mapping))

    assert jwt["patient"] == asked["patient"] == "amy"
    assert jwt.keys() - asked.keys() == {"jti"}


# v1 words -------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("WF-19")
def test_introspection_alone_names_v1_scopes_too(make_server: MakeServer, told: Answers) -> None:
    answer, jwt, asked = told(make_server(v1_equivalents=1))

    assert answer["scope"] == jwt["scope"] == SCOPE
    assert asked["scope"] == f"{SCOPE} patient/*.read patient/Observation.read"


@pytest.mark.requirement("WF-19")
def test_a_restricted_scope_and_part_of_a_right_have_no_v1_word(make_server: MakeServer, told: Answers) -> None:
    scope = "patient/Patient.r patient/Observation.rs?code=http://loinc.org|1-1"

    _, _, asked = told(make_server(v1_equivalents=1, claim_profile="node"), scope=scope)

    assert asked["scope"] == scope
    assert asked["scp"] == scope.split()


@pytest.mark.requirement("IN-02")
def test_without_the_option_the_scope_is_that_of_the_token_answer(make_server: MakeServer, told: Answers) -> None:
    answer, _, asked = told(make_server(claim_profile="node"))

    assert asked["scope"] == answer["scope"]


# Size -----------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("SCP-21")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
@pytest.mark.parametrize("count", [40, 70, 95])
def test_no_profile_makes_a_token_too_long(
    make_server: MakeServer,
    told: Answers,
    algorithm: str,
    count: int,
) -> None:
    scope = " ".join(f"patient/Observation.rs?code=http://loinc.org|{number}" for number in range(count))
    server = make_server(claim_profile="microsoft", signing_algorithm=algorithm)

    answer, jwt, asked = told(server, scope=scope)

    assert len(answer["access_token"]) < 8192
    assert asked["raw_scope"] == scope
    assert ("raw_scope" in jwt, "roles" in jwt) in ((True, True), (False, False))
