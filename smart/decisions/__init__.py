"""What a token may do at a FHIR server, and which records it may show (OpenID AuthZEN)."""
