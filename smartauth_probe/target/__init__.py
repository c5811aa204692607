"""The FHIR server under test: what it can, what is in it, and how it is asked."""
