"""FHIR versions as data, a JSON file for each."""
