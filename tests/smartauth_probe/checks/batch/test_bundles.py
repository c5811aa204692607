"""What a Bundle of answers is read as, whatever a server makes of it."""

import json
from http.client import HTTPMessage
from typing import Any

import pytest

from smartauth_probe.checks.batch.bundles import answers_in
from smartauth_probe.raw_http import Response
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer

pytestmark = pytest.mark.one_engine


def answered(status: int, *entries: Any) -> Answer:
    body = {"resourceType": "Bundle", "type": "batch-response", "entry": list(entries)}
    return Answer.of(Response(status, HTTPMessage(), json.dumps(body).encode()), 0.0)


def test_each_entry_is_an_answer_with_status_place_and_resource() -> None:
    patient = {"resourceType": "Patient", "id": "amy"}
    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": "not-found"}]}
    whole = answered(
        200,
        {"response": {"status": "200 OK"}, "resource": patient},
        {"response": {"status": "404", "outcome": outcome}},
        {"response": {"status": "201 Created", "location": "Observation/7/_history/1"}},
    )

    read, hidden, made = answers_in(whole, 3)

    assert (read.status, read.type, read.id, read.holds_data) == (200, "Patient", "amy", True)
    assert (hidden.status, hidden.type, hidden.holds_data) == (404, "OperationOutcome", False)
    assert (made.status, made.headers["Location"]) == (201, "Observation/7/_history/1")


def test_a_bundle_that_is_refused_refuses_each_entry() -> None:
    assert [each.status for each in answers_in(answered(403), 2)] == [403, 403]


@pytest.mark.parametrize("entries", [(), (None, 7), ({"response": "200"},), ({"resource": {}},)], ids=str)
def test_answers_that_are_missing_are_no_answers(entries: tuple[Any, ...]) -> None:
    with pytest.raises(Skip):
        answers_in(answered(200, *entries), 2)


def test_a_status_that_is_no_number_is_none() -> None:
    assert answers_in(answered(200, {"response": {"status": "fine"}}), 1)[0].status == 0
