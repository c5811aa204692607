"""References of what would be stored, read as loosely as some server may read them (FHIR references; WR-03, BT-05)."""

import re
from urllib.parse import urlsplit

from smart.fhir.elements import Json, reference_target

# HAPI FHIR looks among its own records for what stands behind the last slash before a question mark
_SEARCH = re.compile(r"\?|%3f", re.IGNORECASE)
_WITHOUT_ADDRESS = re.compile(r"#[A-Za-z0-9._-]*|urn:uuid:[0-9A-Fa-f-]+|urn:oid:[0-9.]+")
_OTHER_TYPE = re.compile(r"(?!(?i:patient)/)[A-Z][A-Za-z]+/[A-Za-z0-9][A-Za-z0-9._-]*")
_ADDRESS = re.compile(r"(?i:https?)://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?/[^\0- \x7f\\]*", re.ASCII)
_PLAIN_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")


def may_name_any_patient(element: Json, base: str) -> bool:
    """Whether some server may read it as a patient of its own, and nobody can tell here as which."""
    text = element.get("reference", "#") if isinstance(element, dict) else element
    if not isinstance(text, str) or _SEARCH.search(text):
        return True
    if target := reference_target(text, base):
        return target[0] != "Patient" and target[0].lower() == "patient"
    return not (
        _WITHOUT_ADDRESS.fullmatch(text)
        or _OTHER_TYPE.fullmatch(text.removeprefix(f"{base}/"))
        or _is_elsewhere(text, base)
    )


def _is_elsewhere(text: str, base: str) -> bool:
    """Whether it is an address on another host, or on this one plainly beside the base, at whichever port."""
    if not _ADDRESS.fullmatch(text):
        return False
    try:
        found, own = urlsplit(text), urlsplit(base)
    except ValueError:
        return False
    if _host(found.hostname) != _host(own.hostname):
        return True
    root = f"{own.path.lower().rstrip('/')}/"
    return _PLAIN_PATH.fullmatch(found.path) is not None and not f"{found.path.lower()}/".startswith(root)


def _host(name: str | None) -> str:
    return (name or "").rstrip(".")
