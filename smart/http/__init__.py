"""HTTP as both sides and the FHIR server read it: tokens, addresses, CORS, limits, strict JSON."""
