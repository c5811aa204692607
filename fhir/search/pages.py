"""Links to further pages, good for the token's app, person and patient and for this search alone (SR-14)."""

import json
from collections.abc import Mapping
from typing import Any

from django.core import signing

from fhir.operation_outcome import PageOfAnother
from smart.digests import sha256_hex

_CLAIMS = ("client_id", "sub", "patient", "fhirUser")


def page_owner(claims: Mapping[str, Any], *of: str) -> str:
    """Whose page it is, and of what."""
    return sha256_hex(json.dumps([[claims.get(name) for name in _CLAIMS], of]))


def page_mark(offset: int, owner: str) -> str:
    """What stands in the link to the page from there on."""
    return signing.Signer(salt=f"fhir.page.{owner}").sign(str(offset)) if offset else ""


def page_offset(mark: str, owner: str) -> int:
    """Where the page begins. Raises PageOfAnother."""
    if not mark:
        return 0
    try:
        return int(signing.Signer(salt=f"fhir.page.{owner}").unsign(mark))
    except signing.BadSignature:
        raise PageOfAnother from None
