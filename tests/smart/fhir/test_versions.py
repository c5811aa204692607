"""Which resource types a FHIR version knows."""

import pytest

from smart.fhir.versions import FHIR_VERSIONS, resource_types


@pytest.mark.requirement("SCP-08")
@pytest.mark.parametrize(("version", "count"), [("dstu2", 94), ("stu3", 117), ("r4", 146), ("r4b", 141), ("r5", 158)])
def test_every_concrete_type_is_known(version: str, count: int) -> None:
    types = resource_types(version)

    assert len(types) == count
    assert {"Patient", "Observation", "Encounter", "Condition", "Practitioner"} <= types
    assert types.isdisjoint({"Resource", "DomainResource"})


@pytest.mark.parametrize("version", ["", "r9", "../r4", "R4"])
def test_an_unknown_version_is_told_and_nothing_is_read(version: str) -> None:
    with pytest.raises(ValueError, match="unknown FHIR version"):
        resource_types(version)


def test_the_versions_are_named_from_the_oldest_to_the_newest() -> None:
    assert FHIR_VERSIONS == ("dstu2", "stu3", "r4", "r4b", "r5")
