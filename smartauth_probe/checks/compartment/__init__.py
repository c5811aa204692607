"""What belongs to the patient of a token, and what does not (docs/specification/resource-server.md, compartment)."""

from smartauth_probe.checks.compartment import contexts, criteria, records, related, searches
from smartauth_probe.checks.compartment.section import SECTION

__all__ = ["SECTION", "contexts", "criteria", "records", "related", "searches"]
