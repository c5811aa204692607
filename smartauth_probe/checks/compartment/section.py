"""The section, and words that several of its checks share."""

from smartauth_probe.checks.check import Section
from smartauth_probe.skip import Skip
from smartauth_probe.target.fixture import TYPES
from smartauth_probe.target.probe import Probe

SECTION = Section("compartment", "One patient's record", "What belongs to A, and what does not")

SOURCE = "SMART App Launch 2.2, FHIR CompartmentDefinition patient"

HIDE = "FHIR security, Access Denied Response Handling"

NARROW = "Add the patient of the token to the search itself, on the server, before anything is matched or counted."

ALIKE = "Answer 404 for a record outside the token's patient, with the very body and headers that an unknown id gets."

PEOPLE = "The person agreed to share their own record, not those of others."


def _kinds(probe: Probe) -> list[str]:
    """Types of which A or B has a record that was found. Raises Skip."""
    found = [kind for kind in TYPES if kind in probe.b.records]
    if not found:
        raise Skip("Patient B has no record that was found.", "records for A and B")
    return found
