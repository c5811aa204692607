"""What the bundled FHIR server gives for a token of this server, and what it refuses: both real, over HTTP."""

import re

import httpx
import pytest

from tests.flows.app import StandaloneLaunch, read, token
from tests.running import Server

CHALLENGED = 'error="invalid_token"'


@pytest.fixture
def amy(server: Server) -> str:
    """A token about amy alone."""
    return token(server, "amy")


@pytest.mark.requirement("SD-25", "SD-26")
@pytest.mark.parametrize("resource", ["Patient", "Observation", "Condition", "Encounter"])
def test_another_patient_s_record_and_none_at_all_are_the_same_404(server: Server, amy: str, resource: str) -> None:
    others = {"Patient": "ben", "Observation": "ben-weight-1", "Condition": "ben-diabetes", "Encounter": "ben-visit-1"}
    ben = token(server, "ben")

    hidden, unknown = read(server, f"{resource}/{others[resource]}", amy), read(server, f"{resource}/no-such-id", amy)

    assert hidden.status_code == unknown.status_code == 404
    assert hidden.text == unknown.text
    assert constant(hidden.headers) == constant(unknown.headers)
    assert read(server, f"{resource}/{others[resource]}", ben).status_code == 200


def constant(headers: httpx.Headers) -> set[str]:
    """The header lines that do not differ from request to request; a reason is told under a reference of its own."""
    lines = {f"{name}: {value}" for name, value in headers.items() if name not in ("date", "x-request-id")}
    return {re.sub(r"^(x-smartauth-reason: .*) \([A-Z0-9-]+\)$", r"\1", line) for line in lines}


@pytest.mark.requirement("SD-25", "SD-26")
@pytest.mark.parametrize(
    "search", ["", "?_id=ben", "?_id=no-such-id", "?_id=amy,ben", "?name=Whitlock", "?gender=male"]
)
def test_a_search_for_patients_finds_the_tokens_own_or_nobody(server: Server, amy: str, search: str) -> None:
    found = read(server, f"Patient{search}", amy).json()

    ids = [entry["resource"]["id"] for entry in found.get("entry", [])]
    assert ids in ([], ["amy"])
    assert found["total"] == len(ids)


@pytest.mark.requirement("SD-25")
@pytest.mark.parametrize("search", ["", "?patient=ben", "?patient=amy,ben", "?subject=Patient/ben"])
def test_a_search_for_observations_stays_with_the_patient(server: Server, amy: str, search: str) -> None:
    found = read(server, f"Observation{search}", amy).json()

    subjects = {entry["resource"]["subject"]["reference"] for entry in found.get("entry", [])}
    assert subjects <= {"Patient/amy"}


@pytest.mark.requirement("SR-01")
def test_a_search_in_chunks_finds_what_one_with_a_length_finds(server: Server, amy: str) -> None:
    url = f"{server.url}/fhir/r4/Observation/_search"
    headers = {"Authorization": f"Bearer {amy}", "Content-Type": "application/x-www-form-urlencoded"}

    announced = httpx.post(url, content=b"_count=2&patient=amy", headers=headers)
    in_chunks = httpx.post(url, content=iter([b"_count=2&pat", b"ient=amy"]), headers=headers)

    assert announced.status_code == in_chunks.status_code == 200
    assert in_chunks.json() == announced.json()
    assert len(in_chunks.json()["entry"]) == 2


@pytest.mark.requirement("SD-23", "TV-20")
@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("patient/Observation.rs", "Patient/amy", 403),
        ("patient/Observation.rs", "Observation/amy-weight-1", 200),
        ("patient/Observation.r", "Observation", 403),
        ("patient/Observation.s", "Observation/amy-weight-1", 403),
        ("patient/Observation.s", "Observation", 200),
        ("patient/Observation.read", "Observation", 200),
        ("launch/patient patient/Condition.rs", "Observation/amy-weight-1", 403),
    ],
)
def test_without_the_scope_it_is_forbidden(server: Server, scope: str, path: str, status: int) -> None:
    limited = token(server, "amy", "demo-symmetric", scope)

    answer = read(server, path, limited)

    assert answer.status_code == status
    assert ('error="insufficient_scope"' in answer.headers.get("WWW-Authenticate", "")) == (status == 403)


@pytest.mark.requirement("TV-01", "TV-02")
def test_without_a_token_there_is_a_challenge_and_no_error(server: Server) -> None:
    known, unknown = read(server, "Patient/amy", None), read(server, "Patient/no-such-id", None)

    assert known.status_code == unknown.status_code == 401
    assert known.headers["WWW-Authenticate"].startswith("Bearer")
    assert "error" not in known.headers["WWW-Authenticate"]
    assert known.text == unknown.text


@pytest.mark.requirement("TV-24")
@pytest.mark.parametrize("path", ["metadata", ".well-known/smart-configuration"])
@pytest.mark.parametrize("bearer", [None, "garbage", "a.b.c"])
def test_what_is_public_needs_no_token_and_minds_no_bad_one(server: Server, path: str, bearer: str | None) -> None:
    assert read(server, path, bearer).status_code == 200


@pytest.mark.requirement("TV-28")
def test_a_browser_of_a_registered_origin_may_read_the_answers_and_the_refusals(server: Server, amy: str) -> None:
    origin = "http://127.0.0.1:4999"
    answers = [
        read(server, path, bearer, Origin=origin) for path, bearer in [("Patient/amy", amy), ("Patient/amy", None)]
    ]

    assert [answer.status_code for answer in answers] == [200, 401]
    assert [answer.headers.get("Access-Control-Allow-Origin") for answer in answers] == [origin, origin]


@pytest.mark.requirement("TV-27")
def test_a_refusal_is_an_outcome_that_repeats_no_token(server: Server) -> None:
    answer = read(server, "Patient/amy", "a.bad-token-that-must-not-come-back.x")

    assert answer.status_code == 401
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "must-not-come-back" not in answer.text + str(answer.headers)


@pytest.mark.requirement("SD-04")
def test_a_token_lives_five_minutes(server: Server) -> None:
    launch = StandaloneLaunch(server, client_id="demo-public")

    answer = launch.exchange(launch.code()).json()

    assert answer["expires_in"] == 300


@pytest.mark.requirement("SD-25")
def test_a_parent_reaches_the_child_that_was_chosen_and_nobody_else(server: Server) -> None:
    launch = StandaloneLaunch(server, "carol", patient="Dan")
    answer = launch.exchange(launch.code()).json()

    reads = {who: read(server, f"Patient/{who}", answer["access_token"]).status_code for who in ("dan", "amy", "carol")}

    assert answer["patient"] == "dan"
    assert reads == {"dan": 200, "amy": 404, "carol": 404}
