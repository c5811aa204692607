"""The probe, run by a development server against its own FHIR server."""
