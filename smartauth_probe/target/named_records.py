"""A file that names the patients and their records, where the probe shall not look for them itself."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smartauth_probe.entries import Unreadable, read_entries

EXAMPLE = "- patient: ID, and below it records: [Observation/ID, Condition/ID]"
RECORD = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}")  # FHIR references, relative

NamedRecords = Mapping[str, tuple[str, ...]]


def read_named_records(file: Path) -> NamedRecords:
    """Records such as Observation/1 by the id of their patient; A comes first, then B. Raises Unreadable."""
    found = dict(_patient(entry, f"{file}, entry {number}") for number, entry in enumerate(_entries(file), 1))
    if len(found) != 2:
        raise Unreadable(f"{file} names {len(found)} patients: it takes two")
    return found


def _entries(file: Path) -> list[Any]:
    return read_entries(file, EXAMPLE)


def _patient(entry: Any, where: str) -> tuple[str, tuple[str, ...]]:
    members = entry if isinstance(entry, dict) else {}
    patient, records = members.get("patient"), members.get("records", "")
    if not isinstance(patient, str) or not patient:
        raise Unreadable(f"{where}: patient is missing")
    named = records if isinstance(records, list) else re.split(r"[\s,]+", str(records).strip("[] "))
    for each in filter(None, named):
        if not RECORD.fullmatch(str(each)):
            raise Unreadable(f"{where}: {str(each)[:80]} is no record such as Observation/1")
    return patient, tuple(str(each) for each in named if each)
