"""Who asked for what and who wrote what: recorded at once, kept in the audit database, read as FHIR (SD-10)."""
