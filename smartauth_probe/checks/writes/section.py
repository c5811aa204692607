"""The section, and words that several of its checks share."""

from smartauth_probe.checks.check import Section

SECTION = Section("writes", "Writes", "What may be written, about which patient, and what a refusal tells")

KIND = "Observation"

SCOPES = "SMART App Launch 2.2, scopes for requesting FHIR resources"

HIDE = "FHIR security, Access Denied Response Handling"

HTTP = "FHIR http"

BOTH = "Judge a write twice: by what is stored, where there is something, and by what would be stored after it."

HIDDEN = "Look the record up within the token's patient, and answer as for an unknown id before all else."

PEOPLE = "Somebody is then treated by what the app of somebody else wrote."
