"""The page on decisions: what it sends is answered as it says."""

import json
import re
from typing import Any

from tests.conftest import SECRET, App, basic
from tests.fixture_types import Issue, MakeResourceServer
from tests.running import ROOT

PAGE = (ROOT / "docs/decisions.md").read_text(encoding="utf-8")
BLOCKS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
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


def test_each_reason_stands_on_the_page_with_its_status() -> None:
    from smart.decisions.decide import Reason

    rows = dict(re.findall(r"^\| `(\w+)` \| (\d{3})", PAGE, re.MULTILINE))
    assert set(rows) == set(Reason)
