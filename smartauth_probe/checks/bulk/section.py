"""The section, and words that several of its checks share."""

from smartauth_probe.checks.check import Section

SECTION = Section("bulk", "Bulk export", "$export and its files")

BULK = "FHIR Bulk Data Access"

BACKEND = "SMART Backend Services, enforce authorization"

ALL = "An export holds the records of all, in files that are easily carried away."

TYPES = "Export the types that the scopes open, and refuse a request that names others."
