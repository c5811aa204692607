"""FHIR search on one resource: does it match the parameters of a search, or of a scope."""
