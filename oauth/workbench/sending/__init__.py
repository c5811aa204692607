"""Test tokens presented to the FHIR server that they are for."""
