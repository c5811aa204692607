"""Which resource types a FHIR version knows."""

import pytest

from smart.fhir.versions import FHIR_VERSIONS, resource_types


@pytest.mark.requirement("SCP-08")
@pytest.mark.parametrize(("version", "count"), [("dstu2", 94), ("stu3", 117), ("r4", 146)])
def test_every_concrete_type_is_known(version: str, count: int) -> None:
    types = resource_types(version)

    assert len(types) == count
    assert {"Patient", "Observation", "Encounter", "Condition", "Practitioner"} <= types
    assert types.isdisjoint({"Resource", "DomainResource"})


@pytest.mark.parametrize("version", ["", "r5", "../r4", "R4"])
def test_an_unknown_version_is_told_and_nothing_is_read(version: str) -> None:
    with pytest.raises(ValueError, match="unknown FHIR version"):
        resource_types(version)


def test_the_three_versions_are_those_that_are_served() -> None:
    assert FHIR_VERSIONS == ("dstu2", "stu3", "r4")
