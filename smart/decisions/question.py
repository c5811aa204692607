"""What a FHIR server asks: one interaction on one type or resource, as it stands or as an HTTP request (FHIR http)."""

import re
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote, unquote_plus

from smart.decisions.interactions import (
    EVERY_TYPE,
    LETTERS_OF_EACH,
    SEARCHES,
    RequestPath,
    is_id_in_a_path,
    parse_path,
)
from smart.fhir.elements import Json
from smart.remembered import remembered, remembered_until_forgotten

Pairs: TypeAlias = list[tuple[str, str]]
ANY_ID = "*"  # where no resource is named yet; no FHIR id can be that
MAX_PARAMETERS = 100

_CONDITIONAL = frozenset({"update", "patch", "delete"})
ITERATE = ":iterate"  # an include that is followed again from what it brought
_EXACT = ("_include", "_revinclude", "_sort")  # their values are judged where they are spelled so, and nowhere else
_CREDENTIAL = "access_token"  # as RFC 6750 §2.2 and §2.3 name it in a form and in a URL
_TYPES = "_type"  # which types of an answer of several
# with a delete: what refers to the resource goes with it (HAPI FHIR), or what is included (Microsoft's FHIR service)
_CASCADE = ("_cascade", "_include", "_revinclude")
# asks about referring records or their lack, what a List or Group holds, a named query, a filter that may chain, other
# resources inside, a graph of others that come along
_ELSEWHERE = ("_has", "_not-referenced", "_list", "_in", "_query", "_filter", "_contained", "_containedtype", "_graph")
# a fragment stays with the client (RFC 9110 §7.1), and what is relative has no colon before a slash (RFC 3986 §4.2)
_NEVER_SENT = re.compile(r"[\x00-\x1f\x7f#]")
_SCHEME = re.compile(r"[^/?]*:")
# a plain URL: a type, one segment at most, and names as FHIR spells them, each with a value that no decision looks at
_PLAIN_URL = re.compile(
    r"(?P<type>[A-Z][A-Za-z]*+)(?:/(?P<id>[^/?]++))?+"
    rf"(?:\?(?P<query>(?:(?!(?:{'|'.join((*_EXACT, _TYPES))})[:=])[A-Za-z_:.-]++=[^&;#\x00-\x1f\x7f]*+(?:&|\Z))*+))?+"
)
_VALUE = re.compile(r"=[^&]*")
_SOME_ID = "id"  # in the place of the one that was sent
_NAME_ENDS = re.compile(r"[:\[]")  # at a modifier, or at the brackets that some servers take for a list


class Question(NamedTuple):
    """An interaction. `parameters` are names with modifiers; `include`, `revinclude` and `sort` are values.

    `content` is the resource that would be shown or stored, `content_before` what it replaces or deletes.
    `compartment`: of which patient alone. `types`: of an answer of several types, those that are asked for by name.
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
    compartment: str = ""
    types: tuple[str, ...] = ()

    @property
    def is_of_several_types(self) -> bool:
        """Whether the answer may hold resources of more than one type that is asked for."""
        return self.interaction in LETTERS_OF_EACH

    def about(self, id: str) -> "Question":  # noqa: A002  # as the field is called
        """The same of the resource with that id."""
        return Question(self.interaction, self.type, id, *self[3:])


def is_search_by_post(method: str, url: str) -> bool:
    """Whether parameters stand in the body of such a request (FHIR search, POST _search). Raises ValueError."""
    return method == "POST" and _path_and_query(url)[0].interaction(method) in SEARCHES


def split_url(url: str) -> tuple[RequestPath, str]:
    """Path and query of a URL relative to the base. Raises ValueError for any other."""
    return _path_and_query(url)


def question_of_http(method: str, url: str, *, form: str = "", if_none_exist: str | None = None) -> Question:
    """The question of a request, its URL relative to the base: `Observation?code=x`. Unknown ones have no interaction.

    `form` is the body of a search by POST, `if_none_exist` the header of a conditional create. Raises ValueError for
    what is no URL, or has too many parameters.
    """
    if form or if_none_exist is not None or (plain := _shape(url)) is None:
        return _question_of_http(method, url, form, if_none_exist)
    shape, id_ = plain
    question = _question_of_shape(method, shape)
    return question.about(id_) if id_ else question


def _shape(url: str) -> tuple[str, str] | None:
    """What plain URLs have in common that differ in a resource's id and values alone, a URL itself; and the id, if any.

    None for every other URL: one that asks for more, or whose values decide, or where an id may stand elsewhere.
    """
    found = _PLAIN_URL.fullmatch(url)
    if found is None:
        return None
    of, id_, query = found.groups()
    names = _VALUE.sub("=", query) if query else ""
    if id_ is None:
        return f"{of}?{names}", ""
    return (f"{of}/{_SOME_ID}?{names}", id_) if is_id_in_a_path(id_) else None


@remembered
def _question_of_shape(method: str, shape: str) -> Question:
    """The question of all URLs of that shape."""
    return _question_of_http(method, shape, "", None)


def _question_of_http(method: str, url: str, form: str, if_none_exist: str | None) -> Question:
    request_path, query = _path_and_query(url)
    pairs = [pair for text in (query, form) for pair in _pairs(text)]
    criteria = None if if_none_exist is None else criteria_of_header(if_none_exist)
    return question_at(request_path, method, pairs, criteria=criteria)


def question_at(request_path: RequestPath, method: str, pairs: Pairs, *, criteria: Pairs | None = None) -> Question:
    """The question of a request at that path with these parameters. Servers obey a `_method` of a POST (TV-29).

    `criteria` are those of If-None-Exist, a search like any other; None where that header was not sent.
    """
    pairs = [*pairs, *criteria] if criteria else pairs
    names = tuple([name for name, _ in pairs])
    says_method = method == "POST" and any(_plain(name) == "_method" for name in names)
    interaction = "" if says_method else request_path.interaction(method)
    include, revinclude, sort = [
        _values(pairs, name) if name in names or name + ITERATE in names else () for name in _EXACT
    ]
    types = _values(pairs, _TYPES) if interaction in LETTERS_OF_EACH else ()
    return Question(
        interaction,
        request_path.type,
        request_path.id or ANY_ID,
        parameters=names,
        include=include,
        revinclude=revinclude,
        sort=sort,
        is_conditional=criteria is not None or (interaction in _CONDITIONAL and not request_path.id),
        compartment=request_path.compartment,
        types=tuple(name for value in types for name in value.split(",") if name not in ("", EVERY_TYPE)),
    )


def criteria_of_header(if_none_exist: str) -> Pairs:
    """The criteria of a conditional create; some servers take them after a type and a question mark too."""
    return _pairs(if_none_exist.replace("?", "&"))


def _path_and_query(url: str) -> tuple[RequestPath, str]:
    """Where a URL below the base leads, cut as servers cut it and not as a URL of its own would be."""
    if _NEVER_SENT.search(url) or _SCHEME.match(url):
        raise ValueError("no URL of a request")
    path, _, query = url.partition("?")
    segments = path.removeprefix("/").removesuffix("/").split("/")
    return parse_path([unquote(segment) for segment in segments]), query


def _pairs(text: str) -> Pairs:
    """The parameters, also those that a server finds which still cuts at semicolons (HTML 4.01 §B.2.2)."""
    pairs = _split(text)
    if ";" in text:
        pairs += [pair for pair in _split(text.replace(";", "&")) if pair not in pairs]
    return pairs


def _split(text: str) -> Pairs:
    """Names, and after each what stands there: as it was sent, but decoded where a decision looks at it."""
    if text.count("&") >= MAX_PARAMETERS:
        raise ValueError(f"more than {MAX_PARAMETERS} fields")
    found = []
    for part in filter(None, text.split("&")):
        name, _, value = part.partition("=")
        name = unquote_plus(name)
        found.append((name, unquote_plus(value) if _is_judged(name) else value))
    return found


def _is_judged(name: str) -> bool:
    """Whether a decision looks at the value too."""
    return name == _TYPES or name.removesuffix(ITERATE) in _EXACT


def _values(pairs: Pairs, name: str) -> tuple[str, ...]:
    return tuple(value for key, value in pairs if key in (name, name + ITERATE))


def parameters_elsewhere(question: Question) -> tuple[str, ...]:
    """The parameters that look at records which no view narrows: chains, reverse chains, lists, queries (SR-08)."""
    found = [name for name in question.parameters if _looks_elsewhere(name)]
    if any("." in value for value in question.sort):
        found.append("_sort")
    return tuple(dict.fromkeys(found))


def token_parameters(question: Question) -> tuple[str, ...]:
    """The parameters that bring an access token, whose one place is the Authorization header (TV-17)."""
    return tuple(dict.fromkeys(filter(is_token_parameter, question.parameters)))


def cascade_parameters(question: Question) -> tuple[str, ...]:
    """The parameters by which a delete takes others along, of whatever type (WR-14)."""
    if question.interaction != "delete":
        return ()
    found = [name for name in question.parameters if is_cascade_parameter(name)]
    for name, values in (("_include", question.include), ("_revinclude", question.revinclude)):
        if values and not any(_plain(each) == name for each in found):
            found.append(name)
    return tuple(dict.fromkeys(found))


def is_cascade_parameter(name: str) -> bool:
    """Whether some server may take it, in a delete, for one that takes others along."""
    return _plain(name) in _CASCADE


@remembered_until_forgotten
def is_token_parameter(name: str) -> bool:
    """Whether some server may take its value for an access token."""
    return _plain(name) == _CREDENTIAL


@remembered_until_forgotten  # apps send the same names; long ones are bounded by the URL that has them
def _looks_elsewhere(name: str) -> bool:
    plain = _plain(name)
    return "." in name or plain in _ELSEWHERE or (plain in _EXACT and name not in _EXACT)


def _plain(name: str) -> str:
    """Servers differ in which spellings they take for the same name: upper case, brackets, what stands before it."""
    return _NAME_ENDS.split(name.strip(" ?").lower(), maxsplit=1)[0]
