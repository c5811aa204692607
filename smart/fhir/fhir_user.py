"""What the claim fhirUser may name (SMART App Launch, scopes for identity data; SCP-16)."""

from smart.fhir import id as fhir_id

TYPES = ("Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person")
PRACTITIONER_TYPES = ("Practitioner", "PractitionerRole")
PATTERN = f"({'|'.join(TYPES)})/{fhir_id.PATTERN}"


def is_practitioner(reference: str) -> bool:
    """Whether it names somebody who treats patients."""
    return reference.partition("/")[0] in PRACTITIONER_TYPES
