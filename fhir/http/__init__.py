"""FHIR's HTTP (FHIR http): one view for all paths, media types, Bundle and CapabilityStatement."""
