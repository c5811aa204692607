"""A search as it was asked: what of its parameters this server evaluates (FHIR search)."""
