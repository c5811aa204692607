"""What of FHIR decides about access: versions, ids, references, base URLs, compartments."""
