"""A searchset, put together as text so that every resource stays as it was stored, decimals too."""

import json
from collections.abc import Sequence

from fhir.models import Record
from fhir.search.query import Search


def searchset(records: Sequence[Record], total: int, search: Search, url: str, base: str) -> str:
    """One page: `total` counts what this caller may see, the links carry used parameters only."""
    links = [{"relation": "self", "url": f"{url}?{search.link(search.offset)}"}]
    following = search.offset + search.count
    if search.count and following < total:
        links.append({"relation": "next", "url": f"{url}?{search.link(following)}"})
    head = json.dumps({"resourceType": "Bundle", "type": "searchset", "total": total, "link": links})
    entries = ",".join(_entry(record, base) for record in records)
    return f'{head[:-1]}, "entry": [{entries}]}}' if entries else head


def _entry(record: Record, base: str) -> str:
    url = json.dumps(f"{base}/{record.type}/{record.resource_id}")
    return f'{{"fullUrl": {url}, "resource": {record.content}, "search": {{"mode": "match"}}}}'
