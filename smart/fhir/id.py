"""FHIR ids and relative references, in the one form that holds everywhere (FHIR datatypes, id; FHIR references)."""

import re
from typing import TypeGuard

PATTERN = "[A-Za-z0-9.-]{1,64}"

_ID = re.compile(PATTERN)
_REFERENCE = re.compile(f"([A-Z][A-Za-z]{{1,63}})/({PATTERN})(?:/_history/{PATTERN})?")


def is_fhir_id(value: object) -> TypeGuard[str]:
    """Whether it is text of 1 to 64 letters, digits, hyphens and dots."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def split_reference(text: str) -> tuple[str, str] | None:
    """Type and id of a relative reference such as `Patient/amy`, with or without a version; None for anything else."""
    match = _REFERENCE.fullmatch(text)
    return (match[1], match[2]) if match else None
