"""What a client, a FHIR server and a person must be to be registered, the same at every door."""
