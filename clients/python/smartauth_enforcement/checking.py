"""An answer of your server, resource by resource: what of it smartauth is asked about, and what is left of it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from smartauth_enforcement.fhir_request import HISTORY, READ, SEARCH, FhirRequest
from smartauth_enforcement.http_answer import BROKEN_SERVER, TOO_COSTLY, Headers, HttpAnswer, refusal
from smartauth_enforcement.strict_json import parse_json

_OF_EVERY_ANSWER = ("cache-control", "vary")
_OF_A_RESOURCE = ("content-type", "etag", "last-modified", "location")
_CODES = {400: "invalid", 405: "not-supported", 406: "not-supported", 409: "conflict", 412: "conflict", 422: "invalid"}
_SEARCH = re.compile(r"\?|%3f", re.IGNORECASE)
_PAGES = ("self", "first", "previous", "prev", "next", "last")


class Item(NamedTuple):
    """A resource of an answer, the interaction that shows it, and the entry that it stands in."""

    interaction: str
    resource: Mapping[str, Any]
    entry: Mapping[str, Any]

    @property
    def type(self) -> str:
        """The type of the resource, "" for none."""
        found = self.resource.get("resourceType")
        return found if isinstance(found, str) else ""

    @property
    def is_match(self) -> bool:
        """Whether it was searched for, and did not come along with what was."""
        return self.interaction != READ or "search" not in self.entry


def parse_resource(body: bytes) -> dict[str, Any] | None:
    """The resource that it is, None for anything else."""
    try:
        found = parse_json(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("resourceType"), str) else None


def has_search(content: Any) -> bool:
    """Whether a reference anywhere in it is a search, such as `Patient?identifier=1`, whatever stands before it.

    Some servers look for the one that it finds, among all records, and store which that is (FHIR http, conditional
    references). HAPI FHIR does so for `https://elsewhere.example.org/Patient?identifier=1`, too.
    """
    waiting = [content]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            text = found.get("reference")
            if isinstance(text, str) and _SEARCH.search(text):
                return True
        waiting += found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return False


def items_of(request: FhirRequest, found: Mapping[str, Any]) -> list[Item]:
    """The resources of an answer; of a Bundle those of its entries, without what the server says beside them."""
    if request.interaction not in (SEARCH, HISTORY):
        return [Item(READ, found, {})] if found["resourceType"] == request.type else []
    return list(_entries(request, found.get("entry")))


def _entries(request: FhirRequest, listed: Any) -> Iterator[Item]:
    for entry in listed if isinstance(listed, list) else []:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or resource.get("resourceType") == "OperationOutcome":
            continue
        search = entry.get("search")
        comes_along = isinstance(search, dict) and search.get("mode") == "include"
        is_match = resource.get("resourceType") == request.type and not comes_along
        yield Item(SEARCH if is_match and request.interaction == SEARCH else READ, resource, entry)


def prune(resource: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Only these paths of it."""
    found: dict[str, Any] = {}
    for path in sorted(paths, key=lambda each: each.count("."), reverse=True):
        name, _, rest = path.partition(".")
        if name in resource:
            found[name] = _below(resource[name], rest, found.get(name)) if rest else resource[name]
    return found


def _below(value: Any, path: str, before: Any) -> Any:
    if isinstance(value, list):
        known = before if isinstance(before, list) else [None] * len(value)
        return [_below(each, path, one) for each, one in zip(value, known, strict=True)]
    if not isinstance(value, dict):
        return value
    return {**(before if isinstance(before, dict) else {}), **prune(value, [path])}


def rebuild_bundle(
    request: FhirRequest, answer: HttpAnswer, found: Mapping[str, Any], shown: Sequence[Item], *, believes_count: bool
) -> HttpAnswer:
    """The Bundle with nothing but what is shown: no count and no pages that tell of more."""
    items = items_of(request, found)
    links = list(_links(request, found.get("link")))
    is_history = request.interaction == HISTORY
    if is_history and any(link["relation"] == "next" for link in links):
        return TOO_COSTLY
    matches = sum(item.is_match for item in shown)
    is_whole = matches == sum(item.is_match for item in items)
    is_counted = believes_count or found.get("total") == matches
    names = ("fullUrl", "resource", "search", "request", "response")
    entries = [{name: item.entry[name] for name in names if name in item.entry} for item in shown]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "history" if is_history else "searchset"}
    if is_history:
        bundle["total"] = len(entries)
    elif is_whole:
        bundle |= {name: found[name] for name in ("total",) if is_counted and name in found}
        bundle |= {"link": links} if links else {}
    return HttpAnswer.of_json(200, {**bundle, **({"entry": entries} if entries else {})}, _headers(answer))


def count_alone(answer: HttpAnswer) -> HttpAnswer:
    """A Bundle without its entries and pages, with the total as far as it is known."""
    found = parse_resource(answer.body) or {}
    told = {name: found[name] for name in ("resourceType", "type", "total") if name in found}
    return HttpAnswer.of_json(answer.status, told, _headers(answer)) if found.get("type") == "searchset" else answer


def _links(request: FhirRequest, listed: Any) -> Iterator[dict[str, Any]]:
    """The pages as the app may ask for them: of the type, whichever compartment was searched."""
    compartment = re.compile(rf"/Patient/[A-Za-z0-9.-]+/{re.escape(request.type)}(?=\?|$)")
    for link in listed if isinstance(listed, list) else []:
        if isinstance(link, dict) and link.get("relation") in _PAGES and isinstance(link.get("url"), str):
            yield {"relation": link["relation"], "url": compartment.sub(f"/{request.type}", link["url"])}


def resource_answer(answer: HttpAnswer) -> HttpAnswer:
    """The answer that holds one resource, or what was stored, without headers that nobody knows."""
    headers = (*_headers(answer, _OF_A_RESOURCE), ("content-length", str(len(answer.body))))
    return answer._replace(headers=headers)


def error_answer(answer: HttpAnswer) -> HttpAnswer:
    """The same status with words of ours: what your server says of an error may name what is hidden."""
    if answer.status < 400:
        return BROKEN_SERVER
    ours = refusal(answer.status, _CODES.get(answer.status, "exception" if answer.status >= 500 else "processing"))
    return ours._replace(headers=(*ours.headers, *_headers(answer)))


def _headers(answer: HttpAnswer, more: Sequence[str] = ()) -> Headers:
    return tuple(
        (name, value)
        for name, value in answer.headers
        if name in (*_OF_EVERY_ANSWER, *more) or name.startswith("access-control-")
    )
