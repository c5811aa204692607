"""The section, and words that several of its checks share."""

from smartauth_probe.checks.check import Section

SECTION = Section("batch", "Batch and transaction", "Many requests in one Bundle, each judged as if it came alone")

HTTP = "FHIR http, batch and transaction"

EACH = "Judge each entry of a Bundle in the very place where a request of its own is judged."

WHOLE = "Judge every entry before the first one is stored, and store all or none."

ONE_DOOR = "The requests in a Bundle come in by one door, and the checks stand at the others."
