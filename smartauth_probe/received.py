"""What a verdict needs of an answer: the status, the challenge, and which resource came. Nothing else is kept."""

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from smartauth_probe.challenge import bearer_error

BODY_LIMIT = 65_536
CHALLENGE_LIMIT = 500
OUTCOME = "OperationOutcome"
OTHER_JSON = "JSON that is no FHIR resource"
_TYPE = re.compile(r'"resourceType"\s*:\s*"([A-Za-z]+)"')


@dataclass(frozen=True, slots=True)
class Received:
    """The answer of a FHIR server.

    `resource` is "" where none was found; `is_unread` where there is more in the body than was understood.
    """

    status: int
    challenge: str = ""
    resource: str = ""
    is_unread: bool = False

    @classmethod
    def of(cls, status: int, challenge: str, body: bytes) -> "Received":
        """That answer; of a long body the beginning is looked at."""
        return cls(status, challenge[:CHALLENGE_LIMIT], *_read_resource(body))

    @property
    def error(self) -> str | None:
        """The error that the Bearer challenge names, "" for none; None without such a challenge (RFC 6750 §3)."""
        return bearer_error(self.challenge)


def is_outcome(resource: str) -> bool:
    """Whether this is an OperationOutcome, which tells of an error."""
    return resource.partition("/")[0] == OUTCOME


def _read_resource(body: bytes) -> tuple[str, bool]:
    """Which resource the body holds, such as Patient/amy, and whether there is more that was not understood.

    Of JSON that was cut the first type in it.
    """
    text = body[:BODY_LIMIT].decode(errors="replace")
    try:
        return _named_content(json.loads(text))
    except (ValueError, RecursionError):
        types: list[str] = _TYPE.findall(text)
        return next((name for name in types if name != OUTCOME), OUTCOME if types else ""), bool(text.strip())


def _named_content(found: Any) -> tuple[str, bool]:
    """The resource that it is or, inside of anything, the first that is no OperationOutcome.

    Other JSON is named where it has structure, like a record. Flat members may be an error or data: nobody can tell.
    """
    inside = next((name for name in map(_name, _objects(found)) if name and not is_outcome(name)), "")
    if inside or _name(found):
        return inside or _name(found), False
    members = list(found.values()) if isinstance(found, dict) else [found]
    if any(isinstance(member, dict | list) and member for member in members):
        return OTHER_JSON, False
    return "", found not in (None, "", [], {})


def _objects(found: Any) -> Iterator[Any]:
    """Every object and array in it, itself first, outer ones before inner ones."""
    waiting = deque([found])
    while waiting:
        each = waiting.popleft()
        if isinstance(each, dict | list):
            yield each
            waiting.extend(each.values() if isinstance(each, dict) else each)


def _name(found: Any) -> str:
    """Type and id of a resource, in characters that can be printed; "" for anything else."""
    kind = found.get("resourceType") if isinstance(found, dict) else None
    if not isinstance(kind, str):
        return ""
    name = f"{kind}/{found['id']}" if isinstance(found.get("id"), str) else kind
    return name.encode(errors="backslashreplace").decode()
