"""The section, and words that several of its checks share."""

from smartauth_probe.checks.check import Section

SECTION = Section("letters", "Reading and searching by scope letter", "c r u d s, each alone")

KIND = "Observation"

SOURCE = "SMART App Launch 2.2, scopes for requesting FHIR resources"
