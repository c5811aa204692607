"""The bundled server does what the decision says, for each token and request of the checklist, and shows no more."""

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import transaction

from fhir.models import Record
from fhir.versions.version import load_version
from smart.decisions.decide import INVALID_TOKEN, decide
from smart.decisions.decision import Decision, DenialReason
from smart.decisions.interactions import LETTERS_OF_EACH
from smart.decisions.question import ANY_ID, Question, parameters_elsewhere, question_of_http
from smart.decisions.refusals import NOT_FOUND, Refusal
from smart.decisions.subject import InvalidClaims, read_subject
from smart.decisions.view import Reach, named_patients
from smart.fhir.definitions import definitions
from tests.checklist import Asked, requests, tokens
from tests.fhir.conftest import BASE, Answered, Introspection
from tests.fixture_types import Fetch

pytestmark = [pytest.mark.usefixtures("records"), pytest.mark.one_engine]
REQUESTS = requests(own="lab-a", hidden="lab-b", problem="problem-a")
TOKENS = tokens(BASE)
WRITES = ("create", "update", "patch", "delete")
R4 = load_version("r4")
# a type whose records are a patient's because the patient's refer to them is not decided by content (PC-15)
REFERENCED = {name for name, served in R4.types.items() if served.compartment.referenced}


def reach_of(introspection: Introspection) -> Reach | None:
    """How far the token reaches that introspection tells, None for one that is worth nothing here."""
    claims = json.loads(introspection.body)
    try:
        return Reach(read_subject(claims if claims["active"] else None, BASE, time.time()), "r4", BASE)
    except InvalidClaims:
        return None


def send(fetch: Fetch, asked: Asked) -> Answered:
    body: dict[str, Any] = {"data": asked.form.encode(), "content_type": "application/x-www-form-urlencoded"}
    with transaction.atomic():
        answer = fetch(asked.url, method=asked.method, **(body if asked.method == "POST" else {}))
        transaction.set_rollback(True)
    return answer


@pytest.mark.requirement("SD-09", "SD-23", "SD-25", "SD-26")
@pytest.mark.requirement("IX-02", "IX-09", "IX-20", "HI-01", "HI-05", "PC-02", "PC-04", "PC-05", "SR-01", "SR-08")
@pytest.mark.parametrize("name", TOKENS)
def test_each_request_is_answered_as_it_is_decided(fetch: Fetch, introspection: Introspection, name: str) -> None:
    introspection.knows(**{"scope": "", **TOKENS[name]})
    reach = reach_of(introspection)
    stored = {(one.type, one.resource_id): json.loads(one.content) for one in Record.objects.all()}
    for asked in REQUESTS:
        question = question_of_http(asked.method, asked.url, form=asked.form)
        decision = (
            decide(reach, question, applies_views=True, matches_in_view=True, spans_types=True)
            if reach
            else INVALID_TOKEN
        )
        answer = send(fetch, asked)
        assert obeys(answer, decision, question), (asked, answer.status, decision.denial)
        if answer.status == 200 and reach is not None:
            assert shows_what_is_allowed(answer, asked, question, reach, stored), (asked, answer.text[:500])
        elif answer.status == 204 and reach is not None and question.id != ANY_ID:
            deleted = question._replace(content_before=stored[question.type, question.id])
            assert decide(reach, deleted, applies_views=False).allowed, asked
        elif reach is not None and (question.interaction, answer.status) == ("read", 404):
            assert not may_be_shown(reach, question, stored.get((question.type, question.id))), asked


def obeys(answer: Answered, decision: Decision, question: Question) -> bool:
    """Whether it is answered as decided, or not at all by a server that does less than FHIR has."""
    is_done_for_nobody = answer.status == 405 or (answer.status == 404 and "does not hold" in answer.text)
    denial = decision.denial
    if denial is None:
        if question.interaction in WRITES:  # without a resource, or a condition
            return answer.status in (204, 400, 415) or is_done_for_nobody or is_told(answer, NOT_FOUND)
        if answer.status == 400:  # what was asked makes no sense, or is more than this server evaluates
            senseless = "yesterday" in str(question) or "date" in question.parameters
            return senseless or "*" in question.include + question.revinclude or bool(parameters_elsewhere(question))
        return answer.status == 200 or is_done_for_nobody or is_told(answer, NOT_FOUND)
    may_be_undone = denial.reason in (DenialReason.PARAMETER_REFUSED, DenialReason.UNKNOWN_INTERACTION)
    return is_told(answer, denial.refusal) or (may_be_undone and is_done_for_nobody)


def is_told(answer: Answered, refusal: Refusal) -> bool:
    """Whether status, body and challenge are those of the refusal."""
    if answer.status != refusal.status or (answer.text and answer.body != refusal.outcome()):
        return False
    return answer.headers.get("WWW-Authenticate") == refusal.headers(BASE).get("WWW-Authenticate")


def shows_what_is_allowed(
    answer: Answered, asked: Asked, question: Question, reach: Reach, stored: Mapping[tuple[str, str], Any]
) -> bool:
    """Whether every resource may be shown by its content, and without parameters none is missing."""
    allowed = {key for key, content in stored.items() if is_asked_for(question, key[0], content)}
    allowed = {
        (name, id_) for name, id_ in allowed
        if all(may_be_shown(reach, each, stored[name, id_]) for each in questions_of_one(question, name))
    }  # fmt: skip
    if asked.method == "HEAD" or question.type in REFERENCED:
        return True
    if question.interaction in ("read", "vread"):
        return (question.type, question.id) in allowed
    if question.id != ANY_ID:
        allowed = {key for key in allowed if key[1] == question.id}
    # in the compartment of somebody else is shown what that patient opens, and nothing that is opened by another
    is_foreign = question.compartment not in ("", "amy")
    entries = answer.body.get("entry", [])
    for entry in entries:  # what comes along is judged by a scope to read its type
        if entry.get("search") == {"mode": "include"} and entry["resource"]["resourceType"] not in REFERENCED:
            came = Question("read", entry["resource"]["resourceType"], entry["resource"]["id"])
            assert may_be_shown(reach, came, entry["resource"]), entry
    matches = [entry["resource"] for entry in entries if entry.get("search") != {"mode": "include"}]
    shown = {(resource["resourceType"], resource["id"]) for resource in matches}
    if question.is_of_several_types:
        shown = {key for key in shown if key[0] not in REFERENCED}
        return (shown <= allowed if is_foreign else shown == allowed) and answer.body["total"] == len(matches)
    is_whole = bool(question.parameters) or is_foreign or shown == allowed
    return shown <= allowed and answer.body["total"] <= len(allowed) and is_whole


def is_asked_for(question: Question, name: str, content: Any) -> bool:
    """Whether the type is, and the compartment that is named."""
    is_of_type = name in R4.types and (question.is_of_several_types or name == question.type)
    patients = named_patients(content, definitions("r4")[name], BASE)
    is_there = not question.compartment or question.compartment in patients
    return is_of_type and is_there and (not question.types or name in question.types)


def questions_of_one(question: Question, name: str) -> list[Question]:
    """What must be allowed of one resource of that type for it to stand in the answer."""
    if not question.is_of_several_types:
        return [question]
    kinds = {"r": "read", "s": "search-type"}
    return [Question(kinds[letter], name) for letter in LETTERS_OF_EACH[question.interaction]]


def may_be_shown(reach: Reach, question: Question, content: Any) -> bool:
    """The decision over one entry by itself."""
    if content is None or question.type in REFERENCED:
        return False
    entry = Question(question.interaction, question.type, content["id"], content=content)
    return decide(reach, entry, applies_views=False, is_entry=True).allowed
