"""Loading resources from a file, each stored as it is written there."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from fhir import clock
from fhir.models import Record
from fhir.store.plans import refresh_statistics
from fhir.store.versions import add_versions, first_version, successor, with_version
from fhir.validation.problems import problems
from fhir.versions.version import Version, load_version
from smart.fhir import json_text
from smart.fhir.id import is_fhir_id
from smart.http import strict_json
from smart.text import ascii_excerpt


class UnreadableResources(ValueError):
    """Why nothing of a file was loaded, and at which place of it."""


def load_file(path: Path | str) -> int:
    """Store every resource of a JSON array; the file's name is its FHIR version. Loading it again changes nothing.

    A Bundle of type history among them is a resource with its past, for one that nothing is known of yet.

    Raises UnreadableResources, and OSError.
    """
    version = _version(Path(path))
    moment = clock.moment()
    given = [_versions(text, place, version, moment) for place, text in enumerate(_resource_texts(Path(path)))]
    _refuse_repeated([versions[-1] for versions in given])
    try:
        with transaction.atomic():
            _store(version, given, moment)
    except RecursionError:
        raise UnreadableResources("a resource is nested too deeply") from None
    return len(given)


def _store(version: Version, given: list[list[Record]], moment: datetime) -> None:
    """Those that are new or differ from what is current; a history only where nothing is known of the resource."""
    current = {
        (one.type, one.resource_id): one for one in Record.objects.filter(fhir_version=version.key, is_current=True)
    }
    added, replaced = [], []
    for versions in given:
        record = versions[-1]
        before = current.get((record.type, record.resource_id))
        if before is None:
            added.extend(versions)
        elif len(versions) > 1:
            continue
        elif before.is_deleted or with_version(record.content, before.number, before.moment) != before.content:
            added.append(successor(before, record.content, moment))
            replaced.append(before)
    if not add_versions(added, replaced):
        raise UnreadableResources("somebody else changed one of the resources meanwhile")
    if added:
        refresh_statistics()


def _version(path: Path) -> Version:
    try:
        return load_version(path.stem)
    except (ValueError, OSError, KeyError):
        raise UnreadableResources("a file is named after its FHIR version, such as r4.json") from None


def _resource_texts(path: Path) -> Iterator[str]:
    """Each resource of a JSON array as it is written there: a decimal keeps its zeros (FHIR datatypes, decimal)."""
    try:
        array = path.read_text(encoding="utf-8-sig")
        content = strict_json.loads(array)
    except strict_json.DuplicateMember:
        raise UnreadableResources("a member stands twice in one object") from None
    except ValueError as error:  # no UTF-8, no JSON, NaN
        raise UnreadableResources(f"not JSON: {error}") from None
    if not isinstance(content, list):
        raise UnreadableResources("not a JSON array of resources")
    yield from json_text.items(array)


def _versions(text: str, place: int, version: Version, moment: datetime) -> list[Record]:
    """The resource, or the versions of one from the first: a Bundle of type history, with the newest first."""
    parts = json_text.members(text) if text.startswith("{") else {}
    if (parts.get("resourceType"), parts.get("type")) != ('"Bundle"', '"history"'):
        return [_record(text, place, version, moment)]
    first, *later = _texts_of_history(parts.get("entry", "[]")) or ["{}"]
    found = [_record(first or "{}", place, version, moment)]
    for one in later:
        before, named = found[-1], _record(one or found[0].content, place, version, moment)
        if (named.type, named.resource_id) != (before.type, before.resource_id):
            raise UnreadableResources(f"item {place}: a history is one of a single resource")
        before.is_current = False
        found.append(successor(before, one or before.content, moment, is_deleted=not one))
    return found


def _texts_of_history(entries: str) -> list[str]:
    """The resource of each entry, the oldest first, "" for a deletion; nothing of what is no list of entries."""
    try:
        return [json_text.members(entry).get("resource", "") for entry in reversed(json_text.items(entries))]
    except ValueError:
        return []


def _record(text: str, place: int, version: Version, moment: datetime) -> Record:
    content: Any = json.loads(text)
    if not isinstance(content, dict):
        raise UnreadableResources(f"item {place}: not a JSON object")
    name, resource_id = content.get("resourceType"), content.get("id")
    shown = f"item {place} ({ascii_excerpt(f'{name}/{resource_id}', 80)})"
    if not isinstance(name, str) or name not in version.types:
        raise UnreadableResources(f"{shown}: not a resource that {version.key} serves")
    if not is_fhir_id(resource_id):
        raise UnreadableResources(f"{shown}: it needs an id of 1 to 64 letters, digits, hyphens and dots")
    if found := problems(version.key, content):
        raise UnreadableResources(f"{shown}: {found[0].path}: {found[0].text}")
    return first_version(version.key, name, resource_id, text, moment)


def _refuse_repeated(records: list[Record]) -> None:
    counted = Counter((record.type, record.resource_id) for record in records)
    if twice := [f"{name}/{resource_id}" for (name, resource_id), count in counted.items() if count > 1]:
        raise UnreadableResources(f"{', '.join(twice[:3])}: stands there more than once")
