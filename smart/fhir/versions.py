"""Which resource types a FHIR version knows (SCP-08)."""

import json
from functools import cache
from pathlib import Path

FHIR_VERSIONS = ("dstu2", "stu3", "r4", "r4b", "r5")
NO_FHIR = "none"  # the version of what holds no records: UserInfo


@cache
def resource_types(fhir_version: str) -> frozenset[str]:
    """The concrete resource types of that version; the abstract Resource and DomainResource can hold no record."""
    if fhir_version == NO_FHIR:
        return frozenset()
    if fhir_version not in FHIR_VERSIONS:
        raise ValueError(f"unknown FHIR version {fhir_version!r}, known are {', '.join(FHIR_VERSIONS)}")
    data = json.loads((Path(__file__).parent / "versions" / f"{fhir_version}.json").read_text(encoding="utf-8"))
    return frozenset(data["resource_types"])
