"""Who people are on FHIR servers, whose records they may share, and names and dates in words."""
