"""Loading resources from a file, each stored as it is written there."""

import json
from collections.abc import Iterator
from pathlib import Path

from django.db import transaction

from fhir.models import Record
from fhir.store.compartments import rebuild_memberships
from fhir.versions.version import Version, load_version
from smart.fhir.id import is_fhir_id


def load_file(path: Path | str) -> int:
    """Store every resource of a JSON array; the file's name is its FHIR version. Loading it again changes nothing."""
    version = load_version(Path(path).stem)
    texts = list(_resource_texts(Path(path).read_text(encoding="utf-8")))
    with transaction.atomic():
        Record.objects.bulk_create(
            [_record(text, version) for text in texts],
            update_conflicts=True,
            unique_fields=["fhir_version", "type", "resource_id"],
            update_fields=["content"],
        )
        rebuild_memberships(version)
    return len(texts)


def _resource_texts(array: str) -> Iterator[str]:
    """Each resource of a JSON array as it is written there: a decimal keeps its zeros (FHIR datatypes, decimal)."""
    if not isinstance(json.loads(array), list):
        raise ValueError("not a JSON array")
    decoder, place = json.JSONDecoder(), array.index("[") + 1
    while array[place := _next_item(array, place)] != "]":
        _, end = decoder.raw_decode(array, place)
        yield array[place:end]
        place = end


def _next_item(array: str, place: int) -> int:
    while array[place] in " \t\r\n,":
        place += 1
    return place


def _record(text: str, version: Version) -> Record:
    content = json.loads(text)
    name, resource_id = content["resourceType"], content["id"]
    if name not in version.types or not is_fhir_id(resource_id):
        raise ValueError(f"{name}/{resource_id}: not a resource that {version.key} serves")
    return Record(fhir_version=version.key, type=name, resource_id=resource_id, content=text)
