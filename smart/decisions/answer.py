"""A decision as AuthZEN writes it (§5.5): the answer, what the FHIR server shall tell, which records may be shown."""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any

from smart.decisions import refusals
from smart.decisions.decision import Decision, Denial
from smart.decisions.refusals import Refusal
from smart.decisions.view import Alternative, Compartments, Everybody, OwnRecord, View, Who
from smart.fhir.definitions import definitions

USER_PATIENTS = "$user"  # the name under which the patients of a user stand once
MOST_LISTED = 10_000  # so that an answer stays below 1 MB: nobody narrows a search by more
CLAIMS = ("sub", "client_id", "patient", "fhirUser", "scope", "exp", "__ip_flag")

Members = dict[str, Any]


def denial_json(denial: Denial, base: str) -> str:
    """The answer that refuses."""
    return json.dumps(_denial(denial, base))


def claims_json(claims: Mapping[str, Any]) -> str:
    """Those of the claims that a yes tells, joined from JSON as the view is: json.dumps of both takes twice as long."""
    return _object([(name, _json(claims[name])) for name in CLAIMS if name in claims])


def view_members(decision: Decision, version: str, base: str) -> str:
    """What a yes tells behind the claims, each member after a comma; nothing where there is nothing to apply.

    Inside of a view nothing means everything by its absence: an alternative has both members always.
    """
    if decision.is_final:
        return ""
    views = decision.views
    match = f', "match": {_views(decision.matched)}' if decision.matched else ""
    elements = _object([(name, _elements(version, name, view)) for name, view in views.items()])
    sets = _sets([*views.values(), *decision.matched.values()])
    return f', "view": {_views(views)}{match}, "sets": {sets}, "elements": {elements}, "hide": {_hide(base)}'


def _views(views: Mapping[str, View]) -> str:
    return _object([(name, _list([_alternative(one) for one in view])) for name, view in views.items()])


def plain_answer(decision: Decision, *, base: str) -> Members:
    """The answer about one of many entries: whether it may be shown, and if not why."""
    return {"decision": True} if decision.denial is None else _denial(decision.denial, base)


def _denial(denial: Denial, base: str) -> Members:
    parameters = {"refuse": list(denial.parameters)} if denial.parameters else {}
    context = {"reason": str(denial.reason), **_refusal(denial.refusal, base), **parameters}
    return {"decision": False, "context": context}


def _refusal(refusal: Refusal, base: str) -> Members:
    """What the FHIR server shall tell: the same for what does not exist and for what may not be seen."""
    return {"http": {"status": refusal.status.value, "headers": refusal.headers(base)}, "outcome": refusal.outcome()}


@lru_cache(maxsize=64)
def _hide(base: str) -> str:
    """How to refuse what is not in view, as JSON: the same in every answer."""
    return json.dumps(_refusal(refusals.NOT_FOUND, base))


def _alternative(alternative: Alternative) -> str:
    where = [{"name": each.parameter.name, "values": list(each.values)} for each in alternative.where]
    return f'{{"who": {_who(alternative.who)}, "where": {json.dumps(where) if where else "[]"}}}'


def _who(who: Who) -> str:
    match who:
        case Compartments(patients) if len(patients) == 1:
            (patient,) = patients
            return f'{{"compartments": [{_json(f"Patient/{patient}")}]}}'
        case Compartments(patients) if len(patients) > MOST_LISTED:
            return f'{{"unlisted_compartments": {len(patients)}}}'
        case Compartments():
            return f'{{"compartments_of": "{USER_PATIENTS}"}}'
        case OwnRecord(name, own_id):
            return f'{{"self": {_json(f"{name}/{own_id}")}}}'
        case Everybody():
            return '"all"'


def _sets(views: Iterable[View]) -> str:
    for view in views:
        for one in view:
            if (
                isinstance(one.who, Compartments)
                and len(one.who.patients) != 1
                and len(one.who.patients) <= MOST_LISTED
            ):
                return json.dumps({USER_PATIENTS: sorted(one.who.patients)})
    return "{}"


def _elements(version: str, name: str, view: View) -> str:
    """The paths of a resource that the view reads: what must be sent for it to be decided by content."""
    reads_owners = any(not isinstance(one.who, Everybody) for one in view)
    parameters = frozenset([criterion.parameter.name for one in view for criterion in one.where])
    return _paths(version, name, parameters, reads_owners=reads_owners)


@lru_cache(maxsize=1024)  # of the definitions alone: nothing of a token is kept
def _paths(version: str, name: str, parameters: frozenset[str], *, reads_owners: bool) -> str:
    defined = definitions(version).get(name)
    if defined is None:
        return "[]"
    owners = [*defined.compartment.paths, ("id",)] if reads_owners else []
    read = [path for each in parameters for path in defined.parameters[each].paths]
    return json.dumps(sorted({".".join(path) for path in (*owners, *read)} | {"resourceType"}))


def _object(members: list[tuple[str, str]]) -> str:
    return "{" + ", ".join([f"{encode_basestring_ascii(name)}: {value}" for name, value in members]) + "}"


def _list(items: list[str]) -> str:
    return f"[{', '.join(items)}]"


def _json(value: object) -> str:
    """What json.dumps says; of a text or whole number, which most values are, in a fifth of the time."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    return str(value) if type(value) is int else json.dumps(value)
