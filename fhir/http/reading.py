"""Read, vread, history and search (FHIR http, FHIR search)."""

from email.utils import parsedate_to_datetime
from http import HTTPStatus

from fhir.audit import own_records
from fhir.http import bundle
from fhir.http.answer import Answer, etag, version_headers
from fhir.http.interaction import Interaction
from fhir.models import Record
from fhir.search import query
from fhir.search.shape import parse_shape
from fhir.store import lookup
from fhir.store.included import find_included


def read(allowed: Interaction) -> Answer:
    """The resource as it was stored; 304 only for who may see it (HV-05)."""
    path = allowed.path
    record = own_records.find_record(allowed.version, path.type, path.id, allowed.view)
    shape = parse_shape([(name, value) for name, value in allowed.asked.parameters if value], strict=False)
    if _is_known(record, allowed):
        return Answer("", HTTPStatus.NOT_MODIFIED, version_headers(record), [record])
    text = shape.cut(record.content, record.fhir_version)
    return Answer(text, headers=version_headers(record), records=[record])


def vread(allowed: Interaction) -> Answer:
    """One version, judged by what it held (HV-01)."""
    path = allowed.path
    record = lookup.find_version(allowed.version, path.type, path.id, path.version_id, allowed.view)
    return Answer(record.content, headers=version_headers(record), records=[record])


def history(allowed: Interaction) -> Answer:
    """The versions of a resource, or of all of a type, that may be seen (HV-02, HV-03)."""
    path = allowed.path
    query.require_type(allowed.asked.parameters, path.type)
    search = query.parse_history(allowed.asked.parameters, allowed.caller.claims, path.below)
    page = lookup.find_history(allowed.version, path.type, path.id, allowed.view, search)
    text = bundle.history(page, search, f"{allowed.base}/{path.below}", allowed.base)
    return Answer(text, records=page.records)


def search_type(allowed: Interaction) -> Answer:
    """A searchset of what may be seen; GET and POST _search are judged alike (SR-01)."""
    is_strict = "handling=strict" in allowed.asked.prefers
    version, name, caller = allowed.version, allowed.path.type, allowed.caller
    query.require_type(allowed.asked.parameters, name)
    search = query.parse_search(
        allowed.asked.parameters,
        allowed.resource_type,
        version,
        caller.base,
        caller.claims,
        strict=is_strict,
        below=allowed.path.below,
    )
    page = own_records.search_records(version, name, allowed.view, search, allowed.decision.matched)
    stored = [record for record in page.records if record.pk]
    included = find_included(version, stored, search.includes, allowed.decision.views)
    text = bundle.searchset(page, included, search, f"{allowed.base}/{allowed.path.below}", allowed.base)
    return Answer(text, records=[*page.records, *included])


def _is_known(record: Record, allowed: Interaction) -> bool:
    """Whether the caller has this version already (RFC 9110 §13.2.2: a tag goes before a date)."""
    tags = allowed.asked.headers.get("If-None-Match", "")
    if tags:
        number = etag(record).removeprefix("W/")
        return tags.strip() == "*" or number in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    try:
        since = parsedate_to_datetime(allowed.asked.headers.get("If-Modified-Since", ""))
        return record.moment.replace(microsecond=0) <= since
    except (TypeError, ValueError):
        return False
