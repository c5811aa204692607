"""Which records belong to which patients: the patient compartment of the version (FHIR compartments; PC-17, PC-19)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from django.conf import settings

from fhir.models import Membership, Record
from fhir.versions.version import Version
from smart.fhir.elements import Json, elements_at, reference_target, references

Key: TypeAlias = tuple[str, str]


def rebuild_memberships(version: Version) -> None:
    """Work out anew which records of the version belong to which patients."""
    records, contents = {}, {}
    for record in Record.objects.filter(fhir_version=version.key):
        key = (record.type, record.resource_id)
        records[key], contents[key] = record, json.loads(record.content)
    pairs = memberships(version, contents)
    Membership.objects.filter(record__fhir_version=version.key).delete()
    Membership.objects.bulk_create(
        Membership(record=records[key], patient=records[patient]) for key, patient in sorted(pairs)
    )


def memberships(version: Version, contents: Mapping[Key, Json]) -> set[tuple[Key, Key]]:
    """Record and patient, for every record that refers to a patient who is here as the compartment's rules say.

    What such a record refers to belongs to the same patient where its type is open that far.
    """
    base = str(settings.SMARTAUTH_FHIR_BASES[version.key]).rstrip("/")
    direct = _direct(version, contents, base)
    open_types = {name for name, resource_type in version.types.items() if resource_type.compartment.referenced}
    through = {
        (target, patient)
        for key, patient in direct
        for target in _targets(references(contents[key]), base)
        if target[0] in open_types and target in contents
    }
    return direct | through


def _direct(version: Version, contents: Mapping[Key, Json], base: str) -> set[tuple[Key, Key]]:
    patients = {key for key in contents if key[0] in version.types and version.types[key[0]].compartment.itself}
    return {
        (key, patient)
        for key, content in contents.items()
        for patient in _named_patients(version, key, content, base)
        if patient in patients
    }


def _named_patients(version: Version, key: Key, content: Json, base: str) -> Iterator[Key]:
    resource_type = version.types[key[0]]
    if resource_type.compartment.itself:
        yield key
    for path in resource_type.compartment.paths:
        yield from _targets(elements_at(content, path), base)


def _targets(elements: Iterable[Json], base: str) -> Iterator[Key]:
    for element in elements:
        if (target := reference_target(element, base)) is not None:
            yield target
