"""A view as a condition of the database: which versions of resources a caller may see. Everything is asked with one."""

from collections.abc import Mapping, Sequence
from functools import cache, reduce
from operator import and_

from django.db.models import Exists, OuterRef, Q, QuerySet

from fhir.models import Membership, Record, Reference
from fhir.search.conditions import condition
from fhir.store.plans import plan_for_values
from fhir.versions.version import Version
from smart.decisions.view import Alternative, Compartments, OwnRecord, View, Who
from smart.fhir.definitions import definitions

Records = QuerySet[Record]


def visible(records: Records, version: Version, name: str, view: View) -> Records:
    """Those of these versions, of one type, that the view opens, each judged by itself; none for an empty view."""
    return _united(records, [_reached(version, name, alternative) for alternative in view])


def visible_of_types(records: Records, version: Version, views: Mapping[str, View]) -> Records:
    """Those of these versions that the view of their type opens; what types have in common is asked once."""
    alike: dict[tuple[Alternative, str], list[str]] = {}
    for name, view in views.items():
        for alternative in view:
            reaches_further = isinstance(alternative.who, Compartments) and _is_referenced(version, name)
            is_own = bool(alternative.where) or reaches_further
            alike.setdefault((alternative, name if is_own else ""), []).append(name)
    reached = [
        Q(type__in=names) & _reached(version, names[0], alternative) for (alternative, _), names in alike.items()
    ]
    return _united(records, reached)


def unrestricted_now(records: Records) -> Records:
    """Versions of resources whose present version has no such label: what was said before it is covered too."""
    labelled = Record.objects.filter(
        fhir_version=OuterRef("fhir_version"),
        type=OuterRef("type"),
        resource_id=OuterRef("resource_id"),
        is_current=True,
        is_restricted=True,
    )
    return records.filter(~Q(Exists(labelled)))


def _united(records: Records, reached: Sequence[Q]) -> Records:
    plan_for_values()
    records = records.filter(is_restricted=False)
    if not reached:
        return records.none()
    if len(reached) == 1:
        return records.filter(reached[0])
    first, *others = (records.filter(condition).order_by().values("pk") for condition in reached)
    return records.filter(pk__in=first.union(*others))


def _is_referenced(version: Version, name: str) -> bool:
    resource_type = version.types.get(name)
    return resource_type is not None and resource_type.compartment.referenced


def _reached(version: Version, name: str, alternative: Alternative) -> Q:
    conditions = (condition(criterion, f"{version.key}/{name}") for criterion in alternative.where)
    return reduce(and_, conditions, _of(version, name, alternative.who))


def _of(version: Version, name: str, who: Who) -> Q:
    match who:
        case Compartments(patients):
            return _in_compartments(version, name, patients)
        case OwnRecord(_, own_id):
            return Q(resource_id=own_id)
        case _:
            return Q()


def _in_compartments(version: Version, name: str, patients: frozenset[str]) -> Q:
    """Of patients who are here themselves (PC-19); what their records refer to, where the type is open that far."""
    here = Record.objects.filter(
        fhir_version=version.key,
        type__in=_patient_types(version.key),
        resource_id__in=patients,
        is_current=True,
        is_deleted=False,
    )
    members = Membership.objects.filter(patient__in=here.values("resource_id"))
    found = Q(pk__in=members.values("record"))
    if _is_referenced(version, name):
        current = members.filter(
            record__fhir_version=version.key,
            record__is_current=True,
            record__is_deleted=False,
            record__is_restricted=False,
        )
        referred = Reference.objects.filter(type=name, record__in=current.values("record"))
        found |= Q(resource_id__in=referred.values("target"))
    return found


@cache
def _patient_types(key: str) -> tuple[str, ...]:
    return tuple(name for name, defined in definitions(key).items() if defined.compartment.itself)
