"""FHIR's interactions, and what each asks of a scope (SMART scopes; SCP-02)."""

from collections.abc import Mapping

# which letter of a scope each interaction needs (SCP-02)
LETTERS: Mapping[str, str] = {
    "read": "r",
    "vread": "r",
    "history-instance": "r",
    "create": "c",
    "update": "u",
    "patch": "u",
    "delete": "d",
    "search-type": "s",
    "history-type": "s",
}
