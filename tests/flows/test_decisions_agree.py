"""The decision endpoint and the bundled FHIR server say the same about each token and request of the checklist."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from smart.decisions.interactions import EVERY_TYPE, EVERYTHING
from smart.decisions.question import question_of_http
from tests.checklist import SCOPES_OF_AMY, Asked, requests
from tests.flows.app import read, token
from tests.running import Server

TOKENS = ("Tp", "TpS", "TpRS", "TpCat", "Tno")  # all of them, and every letter: tests/fhir/http/test_views.py
# open because the patient's records refer to them, which no content tells, or by the bundled server's own rule (PC-14)
REFERENCED = ("Practitioner", "PractitionerRole", "Organization", "Location", "Medication", "Binary")
UNDERSTOOD = ("fhir-view/1", "fhir-match/1", "fhir-types/1")
NAMES = {"own": "amy-weight-1", "hidden": "ben-weight-1", "problem": "amy-asthma"}
REQUESTS = [one for one in requests(**NAMES) if not one.url.endswith("..")]  # the client itself resolves these


@pytest.fixture(params=TOKENS)
def amys(lenient: Server, request: pytest.FixtureRequest) -> str:
    """A token of amy's app with that scope."""
    return token(lenient, "amy", scope=SCOPES_OF_AMY[str(request.param)])


def decide(server: Server, path: str, body: Any) -> Any:
    credentials = ("demo-resource-server", "demo-resource-server-secret")
    response = httpx.post(f"{server.url}/access/v1/{path}", json=body, auth=credentials, timeout=60)
    assert response.status_code == 200, response.text
    return response.json()


def subject(access_token: str) -> dict[str, str]:
    return {"type": "access_token", "id": access_token}


def evaluated(server: Server, access_token: str, asked: Asked) -> Any:
    http = {"method": asked.method, "url": asked.url, "form": asked.form}
    context = {"base": f"{server.url}/fhir/r4", "http": http, "understands": [*UNDERSTOOD]}
    return decide(server, "evaluation", {"subject": subject(access_token), "context": context})


def answered(server: Server, access_token: str, asked: Asked) -> httpx.Response:
    headers = {"Authorization": f"Bearer {access_token}", "Content-Type": "application/x-www-form-urlencoded"}
    url = f"{server.url}/fhir/r4/{asked.url}"
    return httpx.request(asked.method, url, headers=headers, content=asked.form, timeout=60)


def is_done_for_nobody(answer: httpx.Response) -> bool:
    """By a server that does less than FHIR has."""
    return answer.status_code == 405 or (answer.status_code == 404 and "does not hold" in answer.text)


def entries(response: httpx.Response) -> Iterator[Any]:
    found = response.json()
    if found["resourceType"] == "Bundle":
        yield from (entry["resource"] for entry in found.get("entry", []))
    else:
        yield found


@pytest.mark.requirement("SD-09", "SD-25", "SR-08", "SR-13")
def test_each_request_is_refused_alike_and_what_is_let_in_lies_in_the_view(lenient: Server, amys: str) -> None:
    for asked in REQUESTS:
        answer, decision = answered(lenient, amys, asked), evaluated(lenient, amys, asked)
        told = decision["context"].get("http") or decision["context"]["hide"]["http"]
        if not decision["decision"]:
            is_undone = decision["context"]["reason"] in ("unknown_interaction", "parameter_refused")
            if not (is_undone and is_done_for_nobody(answer)):
                assert answer.status_code == told["status"], asked
                assert answer.headers.get("WWW-Authenticate") == told["headers"].get("WWW-Authenticate"), asked
                assert asked.method == "HEAD" or answer.json() == decision["context"]["outcome"], asked
        elif answer.status_code == 200 and asked.method != "HEAD":
            question = question_of_http(asked.method, asked.url, form=asked.form)
            interaction = question.interaction
            if question.is_of_several_types:
                interaction = "read" if interaction == EVERYTHING else "search-type"
            if "_elements" in asked.url:
                continue  # what was cut after it was judged tells no more whose it is (SR-17)
            shown = [one for one in entries(answer) if one["resourceType"] not in REFERENCED]
            came = [one for one in shown if question.type not in (one["resourceType"], EVERY_TYPE)]
            matches = [one for one in shown if one not in came]
            assert everything_is_let_through(lenient, amys, matches, interaction), asked
            assert everything_is_let_through(lenient, amys, came, "read"), asked
        elif answer.status_code == told["status"] and not is_done_for_nobody(answer):
            assert answer.text in ("", json.dumps(decision["context"]["hide"]["outcome"])), asked
        else:
            assert asked.method == "HEAD" or is_done_for_nobody(answer) or "date" in asked.url, asked


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
