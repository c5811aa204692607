"""Security labels: what is labelled as restricted is shown with no token (FHIR security labels; HI-06, WR-15)."""

import json

from fhir.versions.version import load_version
from smart.fhir import json_text


def is_restricted(fhir_version: str, text: str) -> bool:
    """Whether a resource has a label of those that the version's data names."""
    meta = json.loads(json_text.members(text).get("meta", "null"))
    labels = meta.get("security") if isinstance(meta, dict) else None
    restricted = load_version(fhir_version).restricted
    return isinstance(labels, list) and any(
        isinstance(label, dict) and (label.get("system"), label.get("code")) in restricted for label in labels
    )
