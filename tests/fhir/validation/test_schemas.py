"""The schemas that are vendored: small, for every version, and compiled when they are needed."""

import re

import pytest

from fhir.validation import schemas
from smart.fhir.versions import FHIR_VERSIONS, resource_types


@pytest.mark.requirement("SD-16")
@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_every_resource_type_has_a_schema_whose_references_resolve(version: str) -> None:
    known = schemas.definitions(version)
    referred = {name for text in known.values() for name in re.findall(r'"#/definitions/([^"]+)"', text)}

    assert resource_types(version) <= set(known)
    assert referred <= set(known)


def test_they_take_little_room() -> None:
    assert sum(file.stat().st_size for file in schemas.FOLDER.iterdir()) < 600_000


def test_a_process_holds_a_bounded_number_of_them_compiled() -> None:
    for name in sorted(resource_types("dstu2"))[:20]:
        schemas.validator("dstu2", name)

    assert schemas.validator.cache_info().currsize == 16
