"""The page on decisions: what it sends is answered as it says."""

import json
import re
from typing import Any

from smart.decisions.decide import Reason
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Issue, MakeResourceServer
from tests.running import ROOT

PAGE = (ROOT / "docs/decisions.md").read_text(encoding="utf-8")
BLOCKS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
OF_BEN = {"resourceType": "Observation", "id": "o-1", "subject": {"reference": "Patient/ben"}}
INVENTED = ("sub", "client_id", "scope", "exp")


def test_the_examples_are_answered_as_the_page_says(
    app: App, issue: Issue, make_resource_server: MakeResourceServer
) -> None:
    token, caller = issue(scope="launch/patient patient/*.rs")["access_token"], make_resource_server()
    narrow, narrowed, filter_, filtered = BLOCKS

    def send(path: str, body: Any) -> Any:
        body["subject"]["id"] = token
        return app.post(path, json=body, headers=basic(caller.client_id, SECRET)).json()

    answer = send("/access/v1/evaluation", narrow)
    outcome = answer["context"]["hide"].pop("outcome")
    assert outcome["resourceType"] == narrowed["context"]["hide"].pop("outcome")["resourceType"]
    for claims in (answer["context"]["claims"], narrowed["context"]["claims"]):
        assert all(claims.pop(name) for name in INVENTED)
    assert answer == narrowed
    assert send("/access/v1/evaluations", filter_) == filtered


def test_each_reason_is_answered_with_the_status_that_the_page_says(
    app: App, issue: Issue, make_resource_server: MakeResourceServer
) -> None:
    token = issue(scope="launch/patient patient/Observation.cruds")["access_token"]
    caller = basic(make_resource_server().client_id, SECRET)
    cells = re.findall(r"^\| `(\w+)` \| (\d{3}[^|]*)\|", PAGE, re.MULTILINE)
    documented = {(name, status) for name, cell in cells for status in re.findall(r"\d{3}", cell)}

    def denial(line: str, *, subject: str = token, **context: Any) -> tuple[str, str]:
        method, url = line.split()
        context |= {"base": "http://127.0.0.1:8000/fhir/r4", "http": {"method": method, "url": url}}
        body = {"subject": {"type": "access_token", "id": subject}, "context": context}
        context = app.post("/access/v1/evaluation", json=body, headers=caller).json()["context"]
        return context["reason"], str(context["http"]["status"])

    assert documented == {
        denial("GET Observation", subject="unknown"),
        denial("GET Observation/$lastn"),
        denial("GET Condition"),
        denial("GET Observation?subject.name=ben"),
        denial("GET Observation/o-1", content=OF_BEN),
        denial("PUT Observation/o-1", content=OF_BEN),
        denial("GET Observation"),
    }
    assert {name for name, _ in documented} == set(Reason)
