"""Create, update, patch and delete, decided by what is stored and by what would be (FHIR http; WR-01 to WR-15).

All of it happens in the transaction that fhir.http.enforcement opens. Nothing is looked up but through the view, so
that what is hidden is answered as what never was. What was read is replaced only if it is still current: who comes
second is told so.
"""

import json
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from fhir import clock
from fhir.http.answer import Answer, version_headers
from fhir.http.conditions import matched_record, require_if_match
from fhir.http.interaction import Interaction
from fhir.http.patching import patched
from fhir.models import Record
from fhir.operation_outcome import (
    BadRequest,
    Conflict,
    InvalidResource,
    NotFound,
    PreconditionFailed,
    RequestDenied,
    Unprocessable,
)
from fhir.store import lookup
from fhir.store.versions import add_versions, first_version, hold_type, successor
from fhir.validation.problems import problems
from fhir.versions.version import Version
from smart.decisions.decide import decide
from smart.decisions.question import ANY_ID, Question, is_cascade_parameter
from smart.fhir import json_text
from smart.fhir.elements import Json


def create(allowed: Interaction) -> Answer:
    """A new resource with an id of this server's; with If-None-Exist only if the caller could find none."""
    condition = allowed.asked.headers.get("If-None-Exist", "")
    content = _resource(allowed)
    _judge(allowed, "create", content)
    if condition or "If-None-Exist" in allowed.asked.headers:
        hold_type(allowed.version.key, allowed.path.type)
        if (found := matched_record(allowed, condition)) is not None:
            return _told(allowed, found, HTTPStatus.OK, is_written=False)
    return _add_new(allowed)


def update(allowed: Interaction) -> Answer:
    """The next version of a resource, in place of the one that was read (FHIR http, update)."""
    content = _resource(allowed)
    before = _target(allowed)
    if before is None:
        _judge(allowed, "create", content)
        return _add_new(allowed)
    if content.get("id", before.resource_id) != before.resource_id or (allowed.path.id and "id" not in content):
        raise BadRequest("The resource has another id than the URL.")
    text = json_text.with_members(allowed.asked.body, {"id": before.resource_id})
    return _replace(allowed, before, text)


def patch(allowed: Interaction) -> Answer:
    """The resource as a JSON Patch leaves it (RFC 6902; WR-06)."""
    before = _required(_target(allowed))
    may_read = _is_readable(allowed, before)
    answer = _replace(allowed, before, patched(before.content, allowed.asked.body, may_read=may_read))
    # who may change a resource but not read it learns nothing of it (IX-16)
    return answer if may_read else replace(answer, text="")


def delete(allowed: Interaction) -> Answer:
    """A last version without content; one that is deleted already stays so (FHIR http, delete)."""
    if any(is_cascade_parameter(name) for name, _ in allowed.asked.parameters):
        raise BadRequest("This server deletes one resource at a time.")
    before = _required(_target(allowed, with_deleted=True))
    require_if_match(allowed, before)
    if not before.is_deleted:
        _judge(allowed, "delete", None, before)
        last = successor(before, before.content, clock.moment(), is_deleted=True)
        _store(allowed, last, before)
        return Answer("", HTTPStatus.NO_CONTENT, records=[last], is_written=True)
    return Answer("", HTTPStatus.NO_CONTENT, records=[before])


def _resource(allowed: Interaction) -> dict[str, Any]:
    """What was sent, as far as its shape goes. Raises BadRequest."""
    content = json.loads(allowed.asked.body)
    if not isinstance(content, dict) or content.get("resourceType") != allowed.path.type:
        raise BadRequest("The body is no resource of the type that the URL names.")
    if not isinstance(content.get("meta", {}), dict):
        raise BadRequest("meta is no object.")
    return content


def _require_valid(version: Version, content: Json) -> None:
    if found := problems(version.key, content):
        raise InvalidResource(found, version.issue_location)


def _target(allowed: Interaction, *, with_deleted: bool = False) -> Record | None:
    """What the URL names, or what its condition matches, within the view of this interaction (WR-05, WR-12)."""
    path = allowed.path
    resource_id = path.id
    if not resource_id:
        hold_type(allowed.version.key, path.type)
        if (found := matched_record(allowed, urlencode(allowed.asked.parameters))) is None:
            return None
        resource_id = found.resource_id
    if with_deleted:
        record = lookup.find_last(allowed.version, path.type, resource_id, allowed.view)
    else:
        record = lookup.find_record(allowed.version, path.type, resource_id, allowed.view)
    return allowed.caller.work.take_up(record)


def _required(record: Record | None) -> Record:
    if record is None:
        raise NotFound
    return record


def _judge(allowed: Interaction, interaction: str, content: Json, before: Record | None = None) -> None:
    """Raises RequestDenied unless the scopes reach what is stored and what would be (WR-02 to WR-06)."""
    stored = None if before is None else json.loads(before.content)
    resource_id = ANY_ID if before is None else before.resource_id
    question = Question(interaction, allowed.path.type, resource_id, content=content, content_before=stored)
    decision = decide(allowed.caller.reach, question, applies_views=True)
    if decision.denial is not None:
        raise RequestDenied(decision.denial, allowed.base)


def _is_readable(allowed: Interaction, record: Record) -> bool:
    question = Question("read", record.type, record.resource_id, content=json.loads(record.content))
    return decide(allowed.caller.reach, question, applies_views=False).allowed


def _add_new(allowed: Interaction) -> Answer:
    resource_id = allowed.asked.new_id or str(uuid4())
    text = json_text.with_members(allowed.asked.body, {"id": resource_id})
    _require_valid(allowed.version, json.loads(text))
    record = first_version(allowed.version.key, allowed.path.type, resource_id, text, clock.moment())
    add_versions([record])
    return _told(allowed, record, HTTPStatus.CREATED)


def _replace(allowed: Interaction, before: Record, text: str) -> Answer:
    require_if_match(allowed, before)
    allowed.caller.work.grow(before, text)
    content = json.loads(text)
    if (content.get("resourceType"), content.get("id")) != (before.type, before.resource_id):
        raise Unprocessable("A resource keeps its type and its id.")
    _judge(allowed, allowed.asked.interaction, content, before)
    _require_valid(allowed.version, content)
    record = successor(before, text, clock.moment())
    _store(allowed, record, before)
    return _told(allowed, record, HTTPStatus.OK)


def _store(allowed: Interaction, record: Record, before: Record) -> None:
    """Raises what says that somebody else was first, in which case nothing is stored."""
    if not add_versions([record], [before]):
        raise PreconditionFailed if "If-Match" in allowed.asked.headers else Conflict


def _told(allowed: Interaction, record: Record, status: HTTPStatus, *, is_written: bool = True) -> Answer:
    """The version that is current now; its content unless the caller prefers less (FHIR http, Prefer)."""
    headers = version_headers(record)
    # clients read the number of the version here: 201 has it in Location, 200 in Content-Location (RFC 9110 §8.7)
    named = "Location" if status == HTTPStatus.CREATED else "Content-Location"
    headers[named] = f"{allowed.base}/{record.type}/{record.resource_id}/_history/{record.number}"
    text = "" if "return=minimal" in allowed.asked.prefers else record.content
    return Answer(text, status, headers, [record], is_written)
