"""The section, and words that several of its checks share."""

from smartauth_probe.checks.check import Section

SECTION = Section("operations", "Operations", "$everything, $graphql, and names that the server does not know")

OPERATIONS = "FHIR operations"

HIDE = "FHIR security, Access Denied Response Handling"

KIND = "Observation"

EACH = "Judge each resource that an operation returns by itself: type, letter, patient."

DENY = "Keep a list of operations with what each takes, and refuse whatever is not on it."

OWN_DOOR = "An operation has a route of its own, and often no check of its own."

PEOPLE = "The person agreed to share their own record, not those of others."
