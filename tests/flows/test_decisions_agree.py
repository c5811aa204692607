"""The decision endpoint and the bundled FHIR server say the same about each token and request of the checklist."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.flows.app import read, token
from tests.running import Server

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"
SCOPES = (
    "patient/*.rs",
    "patient/Observation.rs",
    "patient/Patient.r",
    "patient/Patient.s",
    "patient/*.read",
    f"patient/Observation.rs?category={CATEGORY}",
    "patient/Observation.rs user/Patient.rs",
    "launch/patient",
)
REQUESTS = (
    "Patient/amy",
    "Patient/ben",
    "Patient/no-such-id",
    "Patient",
    "Patient?_id=amy,ben",
    "Observation",
    "Observation?patient=ben",
    "Observation?subject.name=Whitlock",
    "Observation?_has:Provenance:target:agent=x",
    "Observation/ben-weight-1",
    "Condition/ben-diabetes",
    "Observation/no-such-id",
)


@pytest.fixture(params=SCOPES)
def amys(lenient: Server, request: pytest.FixtureRequest) -> str:
    """A token of amy's app with that scope."""
    return token(lenient, "amy", scope=str(request.param))


def decide(server: Server, path: str, body: Any) -> Any:
    credentials = ("demo-resource-server", "demo-resource-server-secret")
    response = httpx.post(f"{server.url}/access/v1/{path}", json=body, auth=credentials, timeout=60)
    assert response.status_code == 200, response.text
    return response.json()


def subject(access_token: str) -> dict[str, str]:
    return {"type": "access_token", "id": access_token}


def evaluated(server: Server, access_token: str, url: str) -> Any:
    http = {"method": "GET", "url": url}
    context = {"base": f"{server.url}/fhir/r4", "http": http, "understands": ["fhir-view/1"]}
    return decide(server, "evaluation", {"subject": subject(access_token), "context": context})


def entries(response: httpx.Response) -> Iterator[Any]:
    found = response.json()
    if found["resourceType"] == "Bundle":
        yield from (entry["resource"] for entry in found.get("entry", []))
    else:
        yield found


@pytest.mark.requirement("SD-09", "SD-25", "SR-08", "SR-13")
def test_each_request_is_refused_alike_and_what_is_let_in_lies_in_the_view(lenient: Server, amys: str) -> None:
    for url in REQUESTS:
        answer, decision = read(lenient, url, amys), evaluated(lenient, amys, url)
        if not decision["decision"]:
            told = decision["context"]["http"]
            assert answer.status_code == told["status"], url
            assert answer.headers.get("WWW-Authenticate") == told["headers"].get("WWW-Authenticate"), url
            continue
        assert answer.status_code in (200, decision["context"]["hide"]["http"]["status"]), url
        if answer.status_code == 404:
            assert answer.json() == decision["context"]["hide"]["outcome"]
        else:
            interaction = "read" if "/" in url else "search-type"
            assert everything_is_let_through(lenient, amys, list(entries(answer)), interaction), url


def everything_is_let_through(server: Server, access_token: str, found: list[Any], interaction: str) -> bool:
    """Whether each resource, sent along, is allowed by itself."""
    base = f"{server.url}/fhir/r4"
    asked = [
        {"resource": {"type": one["resourceType"], "id": one["id"], "properties": {"base": base, "content": one}}}
        for one in found
    ]
    body = {"subject": subject(access_token), "action": {"name": interaction}, "evaluations": asked}
    return not asked or all(one["decision"] for one in decide(server, "evaluations", body)["evaluations"])


@pytest.mark.requirement("SD-25", "SD-26", "PC-01")
def test_nothing_of_another_patient_is_let_through_by_its_content(lenient: Server, amys: str) -> None:
    of_ben = token(lenient, "ben")
    bens = [one for url in ("Patient/ben", "Observation") for one in entries(read(lenient, url, of_ben))]
    assert len(bens) > 2
    for one in bens:
        assert not everything_is_let_through(lenient, amys, [one], "read"), one["id"]
