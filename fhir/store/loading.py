"""Loading resources from a file and working out whose compartment each belongs to."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from django.conf import settings
from django.db import transaction

from fhir import versions
from fhir.models import Membership, Record
from fhir.versions import Version
from smart.fhir.elements import Json, elements_at, reference_target, references
from smart.fhir.id import is_fhir_id

Key: TypeAlias = tuple[str, str]


def load_file(path: Path | str) -> int:
    """Store every resource of a JSON array; the file's name is its FHIR version. Loading it again changes nothing."""
    version = versions.load(Path(path).stem)
    texts = list(_texts(Path(path).read_text(encoding="utf-8")))
    with transaction.atomic():
        Record.objects.bulk_create(
            [_record(text, version) for text in texts],
            update_conflicts=True,
            unique_fields=["fhir_version", "type", "resource_id"],
            update_fields=["content"],
        )
        rebuild_memberships(version)
    return len(texts)


def rebuild_memberships(version: Version) -> None:
    """Work out anew which records of the version belong to which patients."""
    contents = {
        (record.type, record.resource_id): (record, json.loads(record.content))
        for record in Record.objects.filter(fhir_version=version.key)
    }
    pairs = memberships(version, {key: content for key, (_, content) in contents.items()})
    Membership.objects.filter(record__fhir_version=version.key).delete()
    Membership.objects.bulk_create(
        Membership(record=contents[key][0], patient=contents[patient][0]) for key, patient in sorted(pairs)
    )


def memberships(version: Version, contents: Mapping[Key, Json]) -> set[tuple[Key, Key]]:
    """Record and patient, for every record that refers to the patient as the version's compartment rules say, and for
    what such records refer to where the type is open that far. Only patients that are here count (PC-17, PC-19)."""
    base = str(settings.SMARTAUTH_FHIR_BASES[version.key]).rstrip("/")
    patients = {key for key in contents if key[0] in version.types and version.types[key[0]].compartment.itself}
    direct = {
        (key, patient)
        for key, content in contents.items()
        for patient in _patients(version, key, content, base)
        if patient in patients
    }
    open_types = {name for name, kind in version.types.items() if kind.compartment.referenced}
    through = {
        (target, patient)
        for key, patient in direct
        for target in _targets(contents[key], base)
        if target[0] in open_types and target in contents
    }
    return direct | through


def _patients(version: Version, key: Key, content: Json, base: str) -> Iterator[Key]:
    resource_type = version.types[key[0]]
    if resource_type.compartment.itself:
        yield key
    for name in resource_type.compartment.parameters:
        parameter = resource_type.parameters[name]
        for path in parameter.paths:
            yield from _resolved(elements_at(content, path), base)


def _targets(content: Json, base: str) -> Iterator[Key]:
    yield from _resolved(references(content), base)


def _resolved(elements: Iterable[Json], base: str) -> Iterator[Key]:
    for element in elements:
        if (target := reference_target(element, base)) is not None:
            yield target


def _texts(array: str) -> Iterator[str]:
    """Each resource of a JSON array as it is written there: a decimal keeps its zeros (FHIR datatypes, decimal)."""
    if not isinstance(json.loads(array), list):
        raise ValueError("not a JSON array")
    decoder, place = json.JSONDecoder(), array.index("[") + 1
    while array[place := _next(array, place)] != "]":
        _, end = decoder.raw_decode(array, place)
        yield array[place:end]
        place = end


def _next(array: str, place: int) -> int:
    while array[place] in " \t\r\n,":
        place += 1
    return place


def _record(text: str, version: Version) -> Record:
    content = json.loads(text)
    name, resource_id = content["resourceType"], content["id"]
    if name not in version.types or not is_fhir_id(resource_id):
        raise ValueError(f"{name}/{resource_id}: not a resource that {version.key} serves")
    return Record(fhir_version=version.key, type=name, resource_id=resource_id, content=text)
