"""What a FHIR server asks: one interaction on one type or resource, as it stands or as an HTTP request (FHIR http)."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from smart.fhir.elements import Json
from smart.fhir.id import is_fhir_id

ANY_ID = "*"  # where no resource is named yet; no FHIR id can be that
MAX_PARAMETERS = 100

# what each method does at a path of a type; the letters stand beside them in `interactions`
_AT_TYPE = {"GET": "search-type", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_AT_INSTANCE = {"GET": "read", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_CONDITIONAL = frozenset({"update", "patch", "delete"})
_INCLUDES = ("_include", "_revinclude")


@dataclass(frozen=True, slots=True)
class Question:
    """An interaction. `parameters` are names with modifiers, `includes` values of _include and _revinclude.

    `content` is the resource that would be shown or stored, `content_before` what it replaces or deletes.
    """

    interaction: str
    type: str
    id: str = ANY_ID
    parameters: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    is_conditional: bool = False
    content: Json = None
    content_before: Json = None


def question_of_http(method: str, url: str) -> Question:
    """The question of a request, its URL relative to the base: `Observation?code=x`. Unknown ones have no interaction.

    A search by POST is told with its parameters in the URL, as the GET that means the same (FHIR search, POST).
    """
    parts = urlsplit(url)
    path = [unquote(segment) for segment in parts.path.strip("/").split("/")]
    pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    parameters = tuple(name for name, _ in pairs)
    includes = tuple(value for name, value in pairs if name.partition(":")[0] in _INCLUDES)
    interaction, resource_id = _interaction("GET" if method == "HEAD" else method, path[1:])
    conditional = interaction in _CONDITIONAL and resource_id == ANY_ID
    return Question(interaction, path[0], resource_id, parameters, includes, conditional)


def _interaction(method: str, rest: list[str]) -> tuple[str, str]:
    """The interaction, "" for none that is known, and the id that it is about."""
    match rest:
        case []:
            return _AT_TYPE.get(method, ""), ANY_ID
        case ["_search"]:
            return ("search-type" if method in {"GET", "POST"} else ""), ANY_ID
        case ["_history"]:
            return ("history-type" if method == "GET" else ""), ANY_ID
        case [name] if is_fhir_id(name):
            return _AT_INSTANCE.get(method, ""), name
        case [name, "_history"] if is_fhir_id(name):
            return ("history-instance" if method == "GET" else ""), name
        case [name, "_history", version] if is_fhir_id(name) and is_fhir_id(version):
            return ("vread" if method == "GET" else ""), name
    return "", ANY_ID


def refused_parameters(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those that look at records which no view narrows: chains, reverse chains, lists, queries (SR-06)."""
    return tuple(name for name in dict.fromkeys(names) if _looks_elsewhere(name))


def _looks_elsewhere(name: str) -> bool:
    plain = name.partition(":")[0]
    iterates = plain in _INCLUDES and ":" in name
    return "." in name or iterates or plain in _ELSEWHERE


_ELSEWHERE: Mapping[str, str] = {
    "_has": "asks about records that refer to this one",
    "_list": "asks what a List holds",
    "_query": "asks a named query",
    "_filter": "may chain",
    "_contained": "answers with other resources",
    "_containedType": "answers with other resources",
}
