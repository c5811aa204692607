"""FHIR's interactions: where each is asked for (FHIR http §3.2.0), and what each asks of a scope (SCP-02)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from smart.fhir.id import is_fhir_id

BATCH = "batch"  # each of its entries is a request of its own
CAPABILITIES = "capabilities"  # for everybody: nobody looks at a token there (TV-24)
TYPE, ID, VERSION_ID = "[type]", "[id]", "[vid]"  # as FHIR's page writes them

# which letter of a scope each interaction needs (SCP-02)
LETTERS: Mapping[str, str] = {
    "read": "r",
    "vread": "r",
    "history-instance": "r",
    "create": "c",
    "update": "u",
    "patch": "u",
    "delete": "d",
    "search-type": "s",
    "history-type": "s",
}
# what each method asks for at each path below a base; whatever else is asked is unknown, and denied (SD-23)
PATHS: Mapping[tuple[str, ...], Mapping[str, str]] = {
    ("",): {"POST": BATCH},
    ("metadata",): {"GET": CAPABILITIES},
    (TYPE,): {"GET": "search-type", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"},
    (TYPE, "_search"): {"POST": "search-type"},
    (TYPE, "_history"): {"GET": "history-type"},
    (TYPE, ID): {"GET": "read", "PUT": "update", "PATCH": "patch", "DELETE": "delete"},
    (TYPE, ID, "_history"): {"GET": "history-instance"},
    (TYPE, ID, "_history", VERSION_ID): {"GET": "vread"},
}
_BY_LENGTH = {length: [path for path in PATHS if len(path) == length] for length in map(len, PATHS)}


class RequestPath(NamedTuple):
    """A path below a base: the interaction of each method there, and on which type, id and version, "" for none."""

    interactions: Mapping[str, str]
    type: str = ""
    id: str = ""
    version_id: str = ""

    @property
    def is_public(self) -> bool:
        """Whether what is there is for everybody (TV-24)."""
        return CAPABILITIES in self.interactions.values()

    def interaction(self, method: str) -> str:
        """What the method asks for, "" for nothing that is known. HEAD is GET."""
        return self.interactions.get("GET" if method == "HEAD" else method, "")


def parse_path(segments: Sequence[str]) -> RequestPath:
    """The path of these segments, decoded; one without interactions where FHIR has none."""
    for path in _BY_LENGTH.get(len(segments), ()):
        if all(map(_fits, path, segments)):
            found = RequestPath(PATHS[path], segments[0] if TYPE in path else "", segments[1] if ID in path else "")
            return found._replace(version_id=segments[3]) if VERSION_ID in path else found
    return RequestPath({}, segments[0] if segments else "")


def _fits(part: str, segment: str) -> bool:
    """FHIR allows an id of dots; in a path they lead elsewhere (RFC 3986 §5.2.4)."""
    if part == TYPE:
        return bool(segment)
    if part in (ID, VERSION_ID):
        return is_fhir_id(segment) and segment not in {".", ".."}
    return part == segment
