"""Bundles, put together as text so that every resource stays as it was stored, decimals too."""

import json
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from fhir.models import Record
from fhir.search.query import Search
from fhir.store.lookup import Page


def searchset(page: Page, included: Sequence[Record], search: Search, url: str, base: str) -> str:
    """One page: `total` counts what this caller may see, the links carry used parameters only."""
    entries = [_found(record, "match", search, base) for record in page.records]
    entries += [_found(record, "include", search, base) for record in included]
    return bundle("searchset", entries, page, _links(page, search, url))


def history(page: Page, search: Search, url: str, base: str) -> str:
    """Versions, the newest first; a deletion has no content (FHIR http, history)."""
    entries = (_version(record, base) for record in page.records)
    return bundle("history", entries, page, _links(page, search, url))


def bundle(kind: str, entries: Iterable[str], page: Page | None = None, links: list[Any] | None = None) -> str:
    """A Bundle of entries that are texts already."""
    found: dict[str, Any] = {"resourceType": "Bundle", "type": kind}
    if page is not None and page.total is not None:
        found["total"] = page.total
    head = json.dumps({**found, "link": links} if links else found)
    joined = ",".join(entries)
    return f'{head[:-1]}, "entry": [{joined}]}}' if joined else head


def full_url(record: Record, base: str) -> str:
    """The address of the resource as JSON."""
    return json.dumps(f"{base}/{record.type}/{record.resource_id}")


def _links(page: Page, search: Search, url: str) -> list[Any]:
    links = [{"relation": "self", "url": _url(url, search.link(search.offset))}]
    if page.has_more:
        links.append({"relation": "next", "url": _url(url, search.link(search.offset + search.count))})
    return links


def _url(url: str, query: str) -> str:
    return f"{url}?{query}" if query else url


def _found(record: Record, mode: str, search: Search, base: str) -> str:
    content = search.shape.cut(record.content, record.fhir_version)
    return f'{{"fullUrl": {full_url(record, base)}, "resource": {content}, "search": {{"mode": "{mode}"}}}}'


def _version(record: Record, base: str) -> str:
    method = "DELETE" if record.is_deleted else "POST" if record.number == 1 else "PUT"
    url = record.type if method == "POST" else f"{record.type}/{record.resource_id}"
    status = {"DELETE": HTTPStatus.NO_CONTENT, "POST": HTTPStatus.CREATED, "PUT": HTTPStatus.OK}[method]
    answer = {
        "status": str(status.value),
        "etag": f'W/"{record.number}"',
        "lastModified": record.moment.isoformat(timespec="milliseconds"),
    }
    told = f'"request": {json.dumps({"method": method, "url": url})}, "response": {json.dumps(answer)}'
    resource = "" if record.is_deleted else f'"resource": {record.content}, '
    return f'{{"fullUrl": {full_url(record, base)}, {resource}{told}}}'
