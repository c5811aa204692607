"""Reading the packages in which FHIR's versions are published, and what is made of them."""
