"""A search that finds nothing but what the view has: narrowed before it runs, so that counts and pages are right."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from smartauth_enforcement.decision import Alternative
from smartauth_enforcement.fhir_request import COUNT_ALONE, HISTORY, FhirRequest, Refused
from smartauth_enforcement.http_answer import TOO_COSTLY, TOO_MANY_PATIENTS, HttpAnswer
from smartauth_enforcement.options import Narrow

Pairs = list[tuple[str, str]]
Where = tuple[tuple[str, str], ...]
_CUT_SHORT = ("_elements", "_fields", "_format", "_summary")  # what is checked must be whole, and JSON
_EMPTY = HttpAnswer.of_json(200, {"resourceType": "Bundle", "type": "searchset", "total": 0})


class Narrowing(NamedTuple):
    """The one search that a view is: by the patients, `None` for all, or by the ids, and by each of `where`."""

    patients: tuple[str, ...] | None
    ids: tuple[str, ...]
    where: Where


def checkable_request(request: FhirRequest, *, keeps_counts: bool) -> FhirRequest:
    """The same as a GET whose answer can be checked: a search by POST with its form in the query, nothing cut short.

    Without `keeps_counts` what is counted is asked for, so that it can be seen.
    """
    query = "&".join(part for part in (request.query, request.form or "") if part)
    pairs = [
        pair for pair in parse_qsl(query, keep_blank_values=True) if not _is_taken_off(request, pair, keeps_counts)
    ]
    path = request.type if request.is_search_by_post else request.path
    return replace(request, method="GET", path=path, query=_encode(pairs), content_type="", form=None)


def narrowed_request(request: FhirRequest, view: Sequence[Alternative], how: Narrow) -> FhirRequest:
    """A search in that form, narrowed to the view. Raises Refused where that is no single search, or finds nothing."""
    if any(one.is_unlisted for one in view):
        raise Refused(TOO_MANY_PATIENTS)
    narrowing = _single(request.type, view)
    if narrowing is None:
        raise Refused(TOO_COSTLY)
    patients, ids, where = narrowing
    if not (patients is None or patients or ids):
        raise Refused(_EMPTY)
    path, added = request.path, list(where)
    if ids:
        added.append(("_id", ",".join(ids)))
    elif patients and len(patients) == 1 and how == Narrow.COMPARTMENT:
        path = f"Patient/{patients[0]}/{request.type}"
    elif patients:
        added.append(("patient", ",".join(f"Patient/{name}" for name in patients)))
    pairs = parse_qsl(request.query, keep_blank_values=True)
    return replace(request, path=path, query=_encode([*pairs, *(pair for pair in added if pair not in pairs)]))


def _is_taken_off(request: FhirRequest, pair: tuple[str, str], keeps_counts: bool) -> bool:
    if pair in COUNT_ALONE:
        return not keeps_counts
    return pair[0] in _CUT_SHORT or (pair[0] == "_count" and request.interaction == HISTORY)


def _encode(pairs: Pairs) -> str:
    return urlencode(pairs, safe=":/|,$")


def _single(kind: str, view: Sequence[Alternative]) -> Narrowing | None:
    """What has every record of the view and no other, or fewer; None where one search cannot say it."""
    if not view:
        return Narrowing((), (), ())
    wheres = tuple(dict.fromkeys(one.where for one in view))
    owners = {(one.patients, one.own) for one in view}
    where = wheres[0] if len(wheres) == 1 else _join_values(wheres) if len(owners) == 1 else None
    if where is None:
        return None
    if any(one.patients is None and not one.own for one in view):
        return Narrowing(None, (), where)
    patients = tuple(dict.fromkeys(name for one in view for name in one.patients or ()))
    own = tuple(one.own.partition("/")[2] for one in view if one.own.startswith(f"{kind}/"))
    if kind == "Patient":
        return Narrowing((), tuple(dict.fromkeys((*patients, *own))), where)
    if own and kind != "RelatedPerson":  # the other resources that a user can be lie in no compartment
        return Narrowing((), own, where)
    return Narrowing(patients, (), where)


def _join_values(wheres: Sequence[Where]) -> Where | None:
    """Values of one parameter, any of which will do."""
    if () in wheres:
        return ()
    names = {name for where in wheres for name, _ in where}
    if len(names) != 1 or any(len(where) != 1 for where in wheres):
        return None
    return ((names.pop(), ",".join(value for where in wheres for _, value in where)),)
