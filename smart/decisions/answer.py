"""A decision as AuthZEN writes it (§5.5): the answer, what the FHIR server shall tell, which records may be shown."""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from smart.decisions import refusals
from smart.decisions.decide import Decision, Denial
from smart.decisions.refusals import Refusal
from smart.decisions.view import Alternative, Compartments, Everybody, OwnRecord, View, Who
from smart.fhir.definitions import definitions

USER_PATIENTS = "$user"  # the name under which the patients of a user stand once, however many they are
CLAIMS = ("sub", "client_id", "patient", "fhirUser", "scope", "exp", "__ip_flag")

Members = dict[str, Any]


def answer_json(decision: Decision, *, version: str, base: str, claims: Mapping[str, Any]) -> str:
    """The answer to an evaluation. Nothing means everything by its absence: a view has both members always."""
    if decision.denial is not None:
        return json.dumps(_denial(decision.denial, base))
    context: Members = {"claims": {name: claims[name] for name in CLAIMS if name in claims}}
    if decision.is_final:
        return json.dumps({"decision": True, "context": context})
    context["view"] = {name: [_alternative(one) for one in view] for name, view in decision.views.items()}
    context["sets"] = _sets(decision.views.values())
    context["elements"] = {name: _elements(version, name, view) for name, view in decision.views.items()}
    return f'{{"decision": true, "context": {json.dumps(context)[:-1]}, "hide": {_hide(base)}}}}}'


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


def _alternative(alternative: Alternative) -> Members:
    where = [{"name": each.parameter.name, "values": list(each.values)} for each in alternative.where]
    return {"who": _who(alternative.who), "where": where}


def _who(who: Who) -> str | Members:
    match who:
        case Everybody():
            return "all"
        case OwnRecord(name, own_id):
            return {"self": f"{name}/{own_id}"}
        case Compartments(patients):
            if len(patients) == 1:
                return {"compartments": [f"Patient/{patient}" for patient in patients]}
            return {"compartments_of": USER_PATIENTS}


def _sets(views: Iterable[View]) -> Members:
    listed = [one.who.patients for view in views for one in view if isinstance(one.who, Compartments)]
    many = next((patients for patients in listed if len(patients) != 1), None)
    return {} if many is None else {USER_PATIENTS: sorted(many)}


def _elements(version: str, name: str, view: View) -> list[str]:
    """The paths of a resource that the view reads: what must be sent for it to be decided by content."""
    reads_owners = any(not isinstance(one.who, Everybody) for one in view)
    parameters = frozenset(criterion.parameter.name for one in view for criterion in one.where)
    return list(_paths(version, name, parameters, reads_owners=reads_owners))


@lru_cache(maxsize=1024)  # of the definitions alone: nothing of a token is kept
def _paths(version: str, name: str, parameters: frozenset[str], *, reads_owners: bool) -> tuple[str, ...]:
    defined = definitions(version).get(name)
    if defined is None:
        return ()
    owners = [*defined.compartment.paths, ("id",)] if reads_owners else []
    read = [path for each in parameters for path in defined.parameters[each].paths]
    return tuple(sorted({".".join(path) for path in (*owners, *read)} | {"resourceType"}))
