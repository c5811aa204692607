"""What is written beside each version of a resource, so that the database finds it: patients, references, values."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db.models import Model

from fhir import models
from fhir.versions.version import load_version
from smart.decisions.view import named_patients
from smart.fhir.definitions import definitions
from smart.fhir.elements import Json, reference_target, references
from smart.search.values import DateRow, ReferenceRow, StringRow, TokenRow, index_rows

_TABLES: Mapping[type, str] = {
    TokenRow: "TokenValue",
    StringRow: "StringValue",
    DateRow: "DateValue",
    ReferenceRow: "ReferenceValue",
}
_BATCH = 2000


def base_of(version: str) -> str:
    """The base of a version as configured."""
    return str(settings.SMARTAUTH_FHIR_BASES.get(version, "")).rstrip("/")


def write_index(records: Iterable[Any], tables: Any = models) -> None:
    """Writes the rows of these versions, which have none yet. `tables` are those of a migration, or today's."""
    rows = [row for record in records for row in _rows(record, tables)]
    rows.sort(key=lambda row: type(row).__name__)
    for _, of_table in groupby(rows, key=type):
        found = list(of_table)
        type(found[0])._default_manager.bulk_create(found, batch_size=_BATCH)


def _rows(record: Any, tables: Any) -> Iterator[Model]:
    content, base = json.loads(record.content), base_of(record.fhir_version)
    defined = definitions(record.fhir_version)[record.type]
    for patient in members_of(record):
        yield tables.Membership(
            record=record,
            patient=patient,
            fhir_version=record.fhir_version,
            type=record.type,
            is_here=record.is_current and not record.is_deleted,
        )
    for name, target in sorted(_targets(content, base)):
        yield tables.Reference(record=record, type=name, target=target)
    of = f"{record.fhir_version}/{record.type}"
    for row in index_rows(content, defined, base):
        values = row._asdict()
        parameter = f"{of}/{values.pop('parameter')}"
        yield getattr(tables, _TABLES[type(row)])(record=record, parameter=parameter, **values)


def members_of(record: Any) -> list[str]:
    """The patients whose it is: by the compartment, and by what the version's data here adds to it."""
    served = load_version(record.fhir_version).types.get(record.type) or definitions(record.fhir_version)[record.type]
    return sorted(set(named_patients(json.loads(record.content), served, base_of(record.fhir_version))))


def _targets(content: Json, base: str) -> set[tuple[str, str]]:
    targets = (reference_target(reference, base) for reference in references(content))
    return {target for target in targets if target is not None}
