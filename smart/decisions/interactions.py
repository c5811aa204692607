"""FHIR's interactions: where each is asked for (FHIR http §3.2.0), and what each asks of a scope (SCP-02)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from smart.fhir.id import is_fhir_id

BATCH = "batch"  # each of its entries is a request of its own
CAPABILITIES = "capabilities"  # for everybody: nobody looks at a token there (TV-24)
TYPE, ID, VERSION_ID = "[type]", "[id]", "[vid]"  # as FHIR's page writes them
COMPARTMENT, MEMBER = "[compartment]", "[member]"  # whose compartment, and which type of it
EVERYTHING = "everything"  # Patient/[id]/$everything
SEARCH_COMPARTMENT = "search-compartment"
EVERY_TYPE = "*"  # as scopes and compartment searches name them all

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
# what is answered with several types, and which letters each of them needs: to read and to find what an operation gives
LETTERS_OF_EACH: Mapping[str, str] = {
    "search-system": "s",
    SEARCH_COMPARTMENT: "s",
    "history-system": "s",
    EVERYTHING: "rs",
}
SEARCHES = frozenset({"search-type", "search-system", SEARCH_COMPARTMENT})
# what each method asks for at each path below a base; whatever else is asked is unknown, and denied (SD-23)
PATHS: Mapping[tuple[str, ...], Mapping[str, str]] = {
    ("",): {"GET": "search-system", "POST": BATCH},
    ("metadata",): {"GET": CAPABILITIES},
    ("_search",): {"POST": "search-system"},
    ("_history",): {"GET": "history-system"},
    (TYPE,): {"GET": "search-type", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"},
    (TYPE, "_search"): {"POST": "search-type"},
    (TYPE, "_history"): {"GET": "history-type"},
    ("Patient", "$everything"): {"GET": EVERYTHING, "POST": EVERYTHING},
    (TYPE, ID): {"GET": "read", "PUT": "update", "PATCH": "patch", "DELETE": "delete"},
    (TYPE, ID, "_history"): {"GET": "history-instance"},
    ("Patient", COMPARTMENT, "$everything"): {"GET": EVERYTHING, "POST": EVERYTHING},
    ("Patient", COMPARTMENT, EVERY_TYPE): {"GET": "search-compartment"},
    ("Patient", COMPARTMENT, MEMBER): {"GET": "search-type"},
    ("Patient", COMPARTMENT, EVERY_TYPE, "_search"): {"POST": "search-compartment"},
    ("Patient", COMPARTMENT, MEMBER, "_search"): {"POST": "search-type"},
    (TYPE, ID, "_history", VERSION_ID): {"GET": "vread"},
}
_BY_LENGTH = {length: [path for path in PATHS if len(path) == length] for length in map(len, PATHS)}
_OF_SEVERAL_TYPES = frozenset(
    path for path, kinds in PATHS.items() if not LETTERS_OF_EACH.keys().isdisjoint(kinds.values())
)


# those that may look in the compartment of one patient alone
COMPARTMENT_INTERACTIONS = frozenset(
    interaction for path, kinds in PATHS.items() if COMPARTMENT in path for interaction in kinds.values()
)


def _places(path: tuple[str, ...]) -> list[int]:
    """Where type, id, version and compartment stand in it, -1 for one that does not."""
    parts = (MEMBER if MEMBER in path else TYPE, ID, VERSION_ID, COMPARTMENT)
    return [path.index(part) if part in path else -1 for part in parts]


_PLACES = {path: _places(path) for path in PATHS}


class RequestPath(NamedTuple):
    """A path below a base: the interaction of each method there, and on which type, id and version, "" for none.

    `compartment` is the patient in whose compartment alone is looked; the type of several types is "*".
    """

    interactions: Mapping[str, str]
    type: str = ""
    id: str = ""
    version_id: str = ""
    compartment: str = ""
    below: str = ""  # of what an answer of many is, and its further pages

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
            name, id_, version_id, compartment = [segments[at] if at >= 0 else "" for at in _PLACES[path]]
            below = "/".join(segment for segment in segments if segment != "_search")
            name = EVERY_TYPE if path in _OF_SEVERAL_TYPES else name
            return RequestPath(PATHS[path], name, id_, version_id, compartment, below)
    return RequestPath({}, segments[0] if segments else "")


def _fits(part: str, segment: str) -> bool:
    if part == TYPE:
        return bool(segment)
    if part == MEMBER:  # no operation, and none of the words that begin with an underscore
        return segment.isascii() and segment.isalpha()
    if part in (ID, VERSION_ID, COMPARTMENT):
        return is_id_in_a_path(segment)
    return part == segment


def is_id_in_a_path(segment: str) -> bool:
    """FHIR allows an id of dots; in a path they lead elsewhere (RFC 3986 §5.2.4)."""
    return is_fhir_id(segment) and segment not in {".", ".."}
