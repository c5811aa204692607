"""What a FHIR server asks: one interaction on one type or resource, as it stands or as an HTTP request (FHIR http)."""

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
_SEARCH = "_search"
# asks about referring records, what a List holds, a named query, a filter that may chain, other resources inside
_ELSEWHERE = ("_has", "_list", "_query", "_filter", "_contained", "_containedType")


@dataclass(frozen=True, slots=True)
class Question:
    """An interaction. `parameters` are names with modifiers; `include`, `revinclude` and `sort` are values.

    `content` is the resource that would be shown or stored, `content_before` what it replaces or deletes.
    """

    interaction: str
    type: str
    id: str = ANY_ID
    parameters: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    revinclude: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    is_conditional: bool = False
    content: Json = None
    content_before: Json = None


def is_search_by_post(method: str, url: str) -> bool:
    """Whether parameters stand in the body of such a request (FHIR search, POST _search)."""
    return method == "POST" and urlsplit(url).path.rstrip("/").endswith(f"/{_SEARCH}")


def question_of_http(method: str, url: str, *, form: str = "", is_conditional: bool = False) -> Question:
    """The question of a request, its URL relative to the base: `Observation?code=x`. Unknown ones have no interaction.

    `form` is the body of a search by POST, `is_conditional` whether If-None-Exist was sent. Raises ValueError for what
    is no URL, or has too many parameters.
    """
    parts = urlsplit(url)
    path = [unquote(segment) for segment in parts.path.strip("/").split("/")]
    pairs = [pair for text in (parts.query, form) for pair in _pairs(text)]
    interaction, resource_id = _interaction("GET" if method == "HEAD" else method, path[1:])
    return Question(
        interaction,
        path[0],
        resource_id,
        parameters=tuple(name for name, _ in pairs),
        include=_values(pairs, "_include"),
        revinclude=_values(pairs, "_revinclude"),
        sort=_values(pairs, "_sort"),
        is_conditional=is_conditional or (interaction in _CONDITIONAL and resource_id == ANY_ID),
    )


def _pairs(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)


def _values(pairs: list[tuple[str, str]], name: str) -> tuple[str, ...]:
    return tuple(value for key, value in pairs if key == name)


def _interaction(method: str, rest: list[str]) -> tuple[str, str]:
    """The interaction, "" for none that is known, and the id that it is about."""
    match rest:
        case []:
            return _AT_TYPE.get(method, ""), ANY_ID
        case ["_search"]:
            return ("search-type" if method in {"GET", "POST"} else ""), ANY_ID
        case ["_history"]:
            return ("history-type" if method == "GET" else ""), ANY_ID
        case [name] if _is_id(name):
            return _AT_INSTANCE.get(method, ""), name
        case [name, "_history"] if _is_id(name):
            return ("history-instance" if method == "GET" else ""), name
        case [name, "_history", version] if _is_id(name) and _is_id(version):
            return ("vread" if method == "GET" else ""), name
    return "", ANY_ID


def _is_id(segment: str) -> bool:
    """FHIR allows an id of dots; in a path they lead elsewhere (RFC 3986 §5.2.4)."""
    return is_fhir_id(segment) and segment not in {".", ".."}


def parameters_elsewhere(question: Question) -> tuple[str, ...]:
    """The parameters that look at records which no view narrows: chains, reverse chains, lists, queries (SR-08)."""
    found = [name for name in question.parameters if _looks_elsewhere(name)]
    if any("." in value for value in question.sort):
        found.append("_sort")
    return tuple(dict.fromkeys(found))


def _looks_elsewhere(name: str) -> bool:
    plain, _, modifier = name.partition(":")
    return "." in name or plain in _ELSEWHERE or (plain in _INCLUDES and bool(modifier))
