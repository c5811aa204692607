"""Conditions of a write: which resource, if there is one, and whether it is the version that the caller knows."""

from fhir.http.interaction import Interaction
from fhir.models import Record
from fhir.operation_outcome import PreconditionFailed
from fhir.search.query import parse_condition
from fhir.store import lookup


def matched_record(allowed: Interaction, condition: str) -> Record | None:
    """The one resource that meets the condition, of those that the caller could find (WR-10 to WR-12).

    Raises PreconditionFailed where there are more, BadRequest for no condition.
    """
    criteria = parse_condition(condition, allowed.resource_type, allowed.base)
    found = lookup.match_records(allowed.version, allowed.path.type, allowed.matched, criteria)
    if len(found) > 1:
        raise PreconditionFailed("More than one resource meets the condition.")
    return found[0] if found else None


def require_if_match(allowed: Interaction, record: Record) -> None:
    """Raises PreconditionFailed where If-Match names another version; of what is hidden nobody comes here (WR-08)."""
    sent = allowed.asked.headers.get("If-Match", "").strip()
    tags = [tag.strip().removeprefix("W/") for tag in sent.split(",")]
    if sent and sent != "*" and f'"{record.number}"' not in tags:
        raise PreconditionFailed("The resource is at another version.")
