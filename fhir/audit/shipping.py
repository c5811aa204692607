"""From the waiting events to the audit database: by rows that exist, each once, however often it is tried.

An event of which no record can be made keeps no other from going: it is set aside, told to operators by the log and
by `smartauth doctor`, and tried again every hour, as a new release may know how.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import DataError, Error, IntegrityError, transaction
from django.db.models import F

from fhir import clock
from fhir.audit import models
from fhir.audit.facts import facts_of, is_write
from fhir.audit.forms import fill
from fhir.audit.models import Entry, Value, WaitingEvent
from fhir.models import Membership, Record
from fhir.store.index import base_of
from fhir.versions.version import load_version
from smart.fhir.definitions import definitions
from smart.search.values import index_rows
from smart.time_units import HOUR, to_datetime

BATCH = 200
_VALUES = 1000
_KEYS = 900  # in a statement: databases bound how many values one has
Told = Mapping[str, Any]
logger = logging.getLogger(__name__)


def ship(now: int | None = None) -> int:
    """Makes AuditEvent and Provenance of every event that is ready, then deletes it here. Counts the events."""
    now, shipped = clock.now() if now is None else now, 0
    while batch := list(WaitingEvent.objects.filter(ready_at__lte=now).order_by("pk")[:BATCH]):
        stored = _store_batch(batch, now)
        WaitingEvent.objects.filter(pk__in=[event.pk for event in stored]).delete()
        shipped += len(stored)
    return shipped


def _store_batch(batch: Sequence[WaitingEvent], now: int) -> list[WaitingEvent]:
    """Those that are in the audit database now: all at once, or where that fails each by itself."""
    try:
        _store(_entries(batch))
    except Exception as error:  # one of them, or another worker that ships the same ones
        if _is_of_the_database(error):
            raise
        return [event for event in batch if _store_or_set_aside(event, now)]
    return list(batch)


def _store_or_set_aside(event: WaitingEvent, now: int) -> bool:
    """Whether it is stored now."""
    try:
        _store(_entries([event]))
    except Exception as error:  # its text may hold what the event does
        if _is_of_the_database(error):
            raise
        logger.error("the event %s is set aside: %s", event.event_id, type(error).__name__)
        aside = WaitingEvent.objects.filter(pk=event.pk)
        aside.update(failures=F("failures") + 1, ready_at=now + HOUR)
        return False
    return True


def _is_of_the_database(error: Exception) -> bool:
    """It is away, only to be read, or lacks a table or a right: no event is at fault."""
    return isinstance(error, Error) and not isinstance(error, IntegrityError | DataError)


def _store(entries: Sequence[Entry]) -> None:
    """Those that are not there yet: who was killed between storing and deleting has stored them."""
    with transaction.atomic(using="audit"):
        there = Entry.objects.filter(resource_id__in={entry.resource_id for entry in entries})
        known = set(there.values_list("fhir_version", "type", "resource_id"))
        new = [entry for entry in entries if (entry.fhir_version, entry.type, entry.resource_id) not in known]
        Entry.objects.bulk_create(new)
        Value.objects.bulk_create([value for entry in new for value in _values(entry)], batch_size=_VALUES)


def _entries(batch: Sequence[WaitingEvent]) -> list[Entry]:
    told = [json.loads(event.facts) for event in batch]
    patients = _Patients(told)
    found = []
    for event, one in zip(batch, told, strict=True):
        facts = facts_of(event.event_id, event.count, one, patients.named_by(one))
        found.append(_entry(one, "AuditEvent", facts))
        if is_write(one):
            found.append(_entry(one, "Provenance", facts))
    return found


def _entry(told: Told, name: str, facts: Told) -> Entry:
    content = fill(load_version(told["version"]).audit_forms[name], facts)
    return Entry(
        fhir_version=told["version"],
        type=name,
        resource_id=content["id"],
        moment=to_datetime(told["at"]),
        content=json.dumps(content),
    )


def _values(entry: Entry) -> Iterable[Value]:
    of, content = f"{entry.fhir_version}/{entry.type}", json.loads(entry.content)
    for row in index_rows(content, definitions(entry.fhir_version)[entry.type], base_of(entry.fhir_version)):
        values = row._asdict()
        yield models.Value(record=entry, parameter=f"{of}/{values.pop('parameter')}", **values)


class _Patients:
    """Of which patients the records are that were shown or made, and those that somebody asked for in vain."""

    def __init__(self, told: Sequence[Told]) -> None:
        in_vain = {
            (one["version"], *one["target"].split("/")) for one in told if one.get("target") and not one.get("records")
        }
        versions, names, ids = ({each[place] for each in in_vain} for place in range(3))
        # by all that an index begins with: to look for ids alone would read every record
        asked = Record.objects.filter(fhir_version__in=versions, type__in=names, resource_id__in=ids, is_current=True)
        self._current = {
            (version, f"{name}/{target}"): pk
            for version, name, target, pk in asked.values_list("fhir_version", "type", "resource_id", "pk")
        }
        shown = {pk for one in told for _, pk in one.get("records", ()) if pk}
        keys = sorted(shown.union(self._current.values()))
        self._named: dict[int, list[str]] = {}
        for start in range(0, len(keys), _KEYS):
            members = Membership.objects.filter(record__in=keys[start : start + _KEYS])
            for pk, patient in members.values_list("record", "patient"):
                self._named.setdefault(pk, []).append(patient)

    def named_by(self, told: Told) -> set[str]:
        """Ids of the patients that an event is about, that of the token among them."""
        shown = [pk for _, pk in told.get("records", ())]
        keys = shown or [self._current.get((told["version"], told.get("target", "")))]
        named = {patient for pk in keys if pk for patient in self._named.get(pk, ())}
        return named | ({told["patient"]} if told.get("patient") else set())
