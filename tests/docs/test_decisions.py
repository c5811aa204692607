"""The page on decisions: what it sends is answered as it says."""

import json
import re
from typing import Any

from introspection.evaluation import ALL, UNTIL_DENIED, UNTIL_PERMITTED
from smart.decisions.authzen import MAX_EVALUATIONS, TOKEN, TOKEN_DIGEST
from smart.decisions.decision import DenialReason
from smart.decisions.interactions import LETTERS, LETTERS_OF_EACH
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Issue, MakeResourceServer
from tests.oauth.workbench.api.json_schema import problems
from tests.running import ROOT

PAGE = (ROOT / "docs/decisions.md").read_text(encoding="utf-8")
CONTRACT = json.loads((ROOT / "docs/reference/decisions.openapi.json").read_text(encoding="utf-8"))
SCHEMAS = CONTRACT["components"]["schemas"]
BLOCKS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
OF_BEN = {"resourceType": "Observation", "id": "o-1", "subject": {"reference": "Patient/ben"}}
EVALUATIONS = ("/access/v1/evaluation", "/access/v1/evaluations")
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
    assert {name for name, _ in documented} == set(DenialReason)


def test_the_contract_lists_what_the_code_knows() -> None:
    def listed(name: str, *members: str) -> set[str]:
        found = SCHEMAS[name]
        for member in members:
            found = found["properties"][member]
        return set(found["enum"])

    assert listed("Subject", "type") == {TOKEN, TOKEN_DIGEST}
    assert listed("Action", "name") == set(LETTERS) | set(LETTERS_OF_EACH)
    assert listed("DecisionContext", "reason") == set(DenialReason)
    assert listed("Evaluations", "options", "evaluations_semantic") == {ALL, UNTIL_DENIED, UNTIL_PERMITTED}
    assert SCHEMAS["Evaluations"]["properties"]["evaluations"]["maxItems"] == MAX_EVALUATIONS
    assert set(CONTRACT["paths"]) == {*EVALUATIONS, "/.well-known/authzen-configuration"}


def test_questions_and_real_answers_are_as_the_contract_says(
    app: App, issue: Issue, make_resource_server: MakeResourceServer
) -> None:
    category = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
    token = issue(scope=f"launch/patient patient/Observation.cruds?category={category} patient/Patient.rs")
    caller = basic(make_resource_server().client_id, SECRET)

    def send(body: Any, path: str, question: str, answer: str, headers: dict[str, str] = caller) -> Any:
        found = app.post(f"/access/v1/{path}", json=body, headers=headers)
        assert problems(body, SCHEMAS[question], CONTRACT) == [] or found.status_code >= 400
        assert problems(found.json(), SCHEMAS[answer], CONTRACT) == [], (body, found.text)
        return found.json()

    subject = {"type": "access_token", "id": token["access_token"]}
    base, content = "http://127.0.0.1:8000/fhir/r4", OF_BEN
    for line in ("GET Observation", "GET Patient/amy", "GET Patient?subject.name=x", "GET Condition", "GET $export"):
        method, url = line.split()
        context = {"base": base, "http": {"method": method, "url": url}, "understands": ["fhir-view/1"]}
        send({"subject": subject, "context": context}, "evaluation", "Evaluation", "Decision")
    resource = {"type": "Observation", "id": "o-1", "properties": {"base": base, "content": content}}
    entries = {"subject": subject, "action": {"name": "read"}, "evaluations": [{"resource": resource}, {}]}
    assert len(send(entries, "evaluations", "Evaluations", "Decisions")["evaluations"]) == 2
    send({}, "evaluation", "Evaluation", "Error")
    send({}, "evaluation", "Evaluation", "Error", {})
    assert problems(app.get("/.well-known/authzen-configuration").json(), SCHEMAS["Configuration"], CONTRACT) == []
