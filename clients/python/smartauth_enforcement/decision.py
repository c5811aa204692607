"""What smartauth decided (OpenID AuthZEN Authorization API 1.0 §5.5): what is not understood is refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from smartauth_enforcement.http_answer import HttpAnswer

Parsed = TypeVar("Parsed")
VIEW_FORM = "fhir-view/1"
_ONLY_WITH_A_VIEW = ("hide", "sets", "elements", "refuse", "obligations")


class Malformed(ValueError):
    """An answer that is none."""


class Alternative(NamedTuple):
    """Records of these patients, `None` for everybody, that meet each of `where`; or the one resource `own`.

    `is_unlisted`: they are those of more patients than can be listed, and each must be asked about.
    """

    patients: tuple[str, ...] | None
    own: str
    where: tuple[tuple[str, str], ...]
    is_unlisted: bool = False

    @property
    def is_everything(self) -> bool:
        """Whether it leaves nothing out."""
        return self.patients is None and not self.own and not self.where


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes, for the records of `view`; without one, a whole yes.

    `view`: for each type that the answer may hold, alternatives of which one must have a record; a type that is missing
    has none. `elements`: what of a resource smartauth must see to decide about it. `hide`: how to answer for a record
    that is not in view, and for one that never was. `claims`: those of the token.
    """

    view: Mapping[str, tuple[Alternative, ...]] | None
    elements: Mapping[str, tuple[str, ...]]
    hide: HttpAnswer
    claims: Mapping[str, Any]


def parse_decision(answer: Any) -> Decision | HttpAnswer:
    """The decision, or how to refuse. Raises Malformed."""
    members = _object(answer)
    context = _object(members.get("context", {}))
    if members.get("decision") is False:
        return _refusal(context)
    if members.get("decision") is not True:
        raise Malformed("decision is neither true nor false")
    claims = _object(context.get("claims", {}))
    if "view" not in context:
        if any(name in context for name in _ONLY_WITH_A_VIEW):
            raise Malformed("a condition without a view")
        return Decision(None, {}, HttpAnswer(404, (), b""), claims)
    if "obligations" in context:
        raise Malformed("obligations are not understood")
    sets = {name: _texts(listed) for name, listed in _object(context.get("sets")).items()}
    view = {
        name: _each(listed, lambda one: _alternative(one, sets)) for name, listed in _object(context["view"]).items()
    }
    elements = {name: _texts(listed) for name, listed in _object(context.get("elements")).items()}
    return Decision(view, elements, _refusal(_object(context.get("hide"))), claims)


def parse_decisions(answer: Any, count: int) -> list[bool]:
    """Whether each of so many resources may be shown. Raises Malformed, also where one is missing."""
    found = [_object(one).get("decision") for one in _list(_object(answer).get("evaluations"))]
    if len(found) != count or not all(isinstance(one, bool) for one in found):
        raise Malformed("not one decision for each resource")
    return [one is True for one in found]


def _refusal(raw: Mapping[str, Any]) -> HttpAnswer:
    http = _object(raw.get("http"))
    status, headers = http.get("status"), _object(http.get("headers", {}))
    if not isinstance(status, int) or status not in (400, 401, 403, 404):
        raise Malformed("no status to refuse with")
    shown = {name.lower(): value for name, value in headers.items() if name.lower() == "www-authenticate"}
    return HttpAnswer.of_json(status, _object(raw.get("outcome")), [(name, _text(it)) for name, it in shown.items()])


def _alternative(raw: Any, sets: Mapping[str, tuple[str, ...]]) -> Alternative:
    members = _object(raw)
    if set(members) != {"who", "where"}:
        raise Malformed("an alternative has not both members and no other")
    where = _each(members["where"], _criterion)
    match members["who"]:
        case "all":
            return Alternative(None, "", where)
        case {"compartments": listed, **rest} if not rest:
            return Alternative(tuple(map(_patient, _texts(listed))), "", where)
        case {"compartments_of": str(name), **rest} if not rest and name in sets:
            return Alternative(sets[name], "", where)
        case {"unlisted_compartments": int(), **rest} if not rest:
            return Alternative((), "", where, is_unlisted=True)
        case {"self": str(own), **rest} if not rest and own.count("/") == 1:
            return Alternative(None, own, where)
    raise Malformed("nobody knows whose records these are")


def _criterion(raw: Any) -> tuple[str, str]:
    members = _object(raw)
    values = _texts(members.get("values"))
    if set(members) != {"name", "values"} or not values:
        raise Malformed("a criterion has not both members and no other")
    return _text(members["name"]), ",".join(values)


def _patient(reference: str) -> str:
    kind, _, name = reference.partition("/")
    if kind != "Patient" or not name:
        raise Malformed("a compartment that is not of a patient")
    return name


def _object(found: Any) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise Malformed("not an object")
    return found


def _list(found: Any) -> Sequence[Any]:
    if not isinstance(found, list):
        raise Malformed("not a list")
    return found


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise Malformed("not text")
    return found


def _texts(found: Any) -> tuple[str, ...]:
    return _each(found, _text)


def _each(found: Any, parse: Callable[[Any], Parsed]) -> tuple[Parsed, ...]:
    return tuple(map(parse, _list(found)))
