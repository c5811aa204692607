"""What is answered where a request was allowed: status, headers and text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from http import HTTPStatus

from fhir.models import Record


@dataclass(frozen=True, slots=True)
class Answer:
    """`records` are all that it shows or made: what the event of the access names (fhir/http/accesses.py)."""

    text: str = ""
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    records: Sequence[Record] = ()
    is_written: bool = False


def etag(record: Record) -> str:
    """The weak tag of a version: `W/"3"` (FHIR http, versions)."""
    return f'W/"{record.number}"'


def version_headers(record: Record) -> dict[str, str]:
    """Which version is answered, and of when."""
    return {"ETag": etag(record), "Last-Modified": format_datetime(record.moment, usegmt=True)}
