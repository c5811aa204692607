"""Whether a resource is one of its FHIR version: its schema, its codes, its narrative, its size."""
