"""A view as a condition of the database: which versions of resources a caller may see. Everything is asked with one."""

import json
from collections.abc import Mapping, Sequence
from functools import cache, reduce
from operator import and_
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from fhir.models import Record
from fhir.search.conditions import condition
from fhir.store.plans import plan_for_values
from fhir.versions.version import Version
from smart.decisions.view import Alternative, Compartments, OwnRecord, View
from smart.fhir.definitions import definitions
from smart.search.criteria import Criterion

Records = QuerySet[Record]

# what lies in the compartments of patients who are here themselves (PC-19): a patient lies in their own
_COMPARTMENTS = """
    FROM fhir_membership patient
    JOIN fhir_membership member ON member.patient = patient.patient AND member.fhir_version = patient.fhir_version
"""
_HERE = """
    patient.is_here AND patient.fhir_version = %s AND patient.type IN ({types}) AND patient.patient {among}
"""
_MEMBERS = f"SELECT member.record_id {_COMPARTMENTS} WHERE {_HERE} AND member.type IN ({{names}})"
# what their records refer to that are here and may be shown
_REFERRED = f"""
    SELECT record.id {_COMPARTMENTS}
    JOIN fhir_record referring ON referring.id = member.record_id AND NOT referring.is_restricted
    JOIN fhir_reference reference ON reference.record_id = referring.id
    JOIN fhir_record record ON record.fhir_version = member.fhir_version
        AND record.type = reference.type AND record.resource_id = reference.target
    WHERE {_HERE} AND member.is_here AND reference.type IN ({{names}})
"""


def visible(records: Records, version: Version, name: str, view: View, criteria: Sequence[Criterion] = ()) -> Records:
    """Those of these versions, of one type, that the view opens, each judged by itself; none for an empty view.

    Of them those that meet the criteria: beside the view, as the database looks at once for both.
    """
    return _united(records, [_reached(version, [name], alternative, criteria) for alternative in view])


def visible_of_types(records: Records, version: Version, views: Mapping[str, View]) -> Records:
    """Those of these versions that the view of their type opens; what types have in common is asked once."""
    alike: dict[tuple[Alternative, str], list[str]] = {}
    for name, view in views.items():
        for alternative in view:
            alike.setdefault((alternative, name if alternative.where else ""), []).append(name)
    reached = [Q(type__in=names) & _reached(version, names, alternative) for (alternative, _), names in alike.items()]
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


def _reached(version: Version, names: Sequence[str], alternative: Alternative, criteria: Sequence[Criterion] = ()) -> Q:
    """A record of these types that the alternative opens; with criteria it is one type."""
    of, wanted = f"{version.key}/{names[0]}", (*alternative.where, *criteria)
    match alternative.who:
        case Compartments(patients):
            members = _in_compartments(version, names, sorted(patients))
            among = members if len(patients) > 1 else None  # the few records of one are better looked at one by one
            return reduce(and_, (condition(one, of, among=among) for one in wanted), Q(pk__in=members))
        case OwnRecord(_, own_id):
            who = Q(resource_id=own_id)
        case _:
            who = Q()
    return reduce(and_, (condition(one, of) for one in wanted), who)


def _in_compartments(version: Version, names: Sequence[str], patients: Sequence[str]) -> RawSQL | Sequence[int]:
    """Versions that name the patients; and what their records refer to, where the type is open that far."""
    if not patients:
        return []
    types, (among, listed) = _patient_types(version.key), _among(patients)
    statements, values = [], list[Any]()
    for statement, of in ((_MEMBERS, names), (_REFERRED, [name for name in names if _is_referenced(version, name)])):
        if of:
            places = {key: ", ".join(["%s"] * len(each)) for key, each in (("types", types), ("names", of))}
            statements.append(statement.format(among=among, **places))
            values += (version.key, *types, listed, *of)
    return RawSQL(" UNION ALL ".join(statements), values)  # noqa: S611  # nosec B611  # no value is part of the text


def _among(texts: Sequence[str]) -> tuple[str, Any]:
    """How a statement asks for one of these texts, and its one value: a person may have ten thousand patients."""
    if connection.vendor == "postgresql":
        return "= ANY(%s::text[])", list(texts)
    return "IN (SELECT value FROM json_each(%s))", json.dumps(list(texts))


def _is_referenced(version: Version, name: str) -> bool:
    resource_type = version.types.get(name)
    return resource_type is not None and resource_type.compartment.referenced


@cache
def _patient_types(key: str) -> tuple[str, ...]:
    return tuple(name for name, defined in definitions(key).items() if defined.compartment.itself)
