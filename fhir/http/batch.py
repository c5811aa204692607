"""batch and transaction: each entry is decided by itself, as if it had come alone (FHIR http; BT-01 to BT-07)."""

import json
from collections.abc import Callable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from django.db import transaction

from fhir.http.answer import Answer
from fhir.http.bundle import bundle
from fhir.http.enforcement import perform
from fhir.http.entries import Entry, parse_entries
from fhir.http.interaction import Asked, Caller
from fhir.http.links import Links
from fhir.operation_outcome import BadRequest, FhirError
from smart.decisions.interactions import RequestPath
from smart.fhir import json_text

Report = Callable[[FhirError, Asked], None]
_NO_BATCH = "What is posted to the base is a Bundle of type batch or transaction."
_UNREADABLE = Asked("POST", RequestPath({}))
# deletions first, then what is created, changed and read (FHIR http, transaction processing rules)
_ORDER = ("DELETE", "POST", "PUT", "PATCH", "GET", "HEAD")


def perform_bundle(caller: Caller, text: str, report: Report) -> Answer:
    """What each entry gives. A transaction stores all or nothing, and fails with the error of the entry that failed."""
    members = _members(text)
    kind = json.loads(members.get("type", "null"))
    if members.get("resourceType") != '"Bundle"' or kind not in ("batch", "transaction"):
        raise BadRequest(_NO_BATCH)
    entries = parse_entries(members.get("entry", "[]"), caller.base)
    answers = _each(caller, entries, report) if kind == "batch" else _all_or_none(caller, entries)
    return Answer(bundle(f"{kind}-response", map(_response, answers)))


def _members(text: str) -> dict[str, str]:
    """Raises BadRequest for JSON that is no object."""
    try:
        return json_text.members(text)
    except ValueError:
        raise BadRequest(_NO_BATCH) from None


def _each(caller: Caller, entries: Sequence[Entry], report: Report) -> Iterator[Answer]:
    for entry in entries:
        try:
            yield perform(caller, entry.asked())
        except FhirError as error:
            report(error, entry.request if isinstance(entry.request, Asked) else _UNREADABLE)
            yield Answer(error.outcome(), error.status_code)


def _all_or_none(caller: Caller, entries: Sequence[Entry]) -> list[Answer]:
    links, answers = Links(entries), dict[int, Answer]()
    _refuse_repeated(entries)
    with transaction.atomic():
        for place, entry in sorted(enumerate(entries), key=_turn):
            answer = perform(caller, links.resolved(entry.asked()))
            links.add(entry, answer)
            answers[place] = answer
    return [answers[place] for place in range(len(entries))]


def _turn(placed: tuple[int, Entry]) -> tuple[int, bool]:
    """Among those that create, conditional ones come first: what they find is linked to by the others."""
    asked = placed[1].asked()
    return _ORDER.index(asked.method), "If-None-Exist" not in asked.headers


def _refuse_repeated(entries: Sequence[Entry]) -> None:
    named = [(asked.path.type, asked.path.id) for asked in (entry.asked() for entry in entries) if _changes(asked)]
    if len(named) != len(set(named)):
        raise BadRequest("A resource stands in a transaction more than once.")


def _changes(asked: Any) -> bool:
    return bool(asked.path.id) and asked.method in ("PUT", "PATCH", "DELETE")


def _response(answer: Answer) -> str:
    """An entry: what HTTP would have said, and the resource, or in `outcome` what went wrong."""
    told: dict[str, Any] = {"status": str(int(answer.status))}
    for name, header in (("location", "Location"), ("etag", "ETag")):
        if header in answer.headers:
            told[name] = answer.headers[header]
    if "Last-Modified" in answer.headers:
        told["lastModified"] = parsedate_to_datetime(answer.headers["Last-Modified"]).isoformat()
    response = json.dumps(told)
    if not answer.text:
        return f'{{"response": {response}}}'
    if answer.status >= HTTPStatus.BAD_REQUEST:
        return f'{{"response": {response[:-1]}, "outcome": {answer.text}}}}}'
    return f'{{"resource": {answer.text}, "response": {response}}}'
