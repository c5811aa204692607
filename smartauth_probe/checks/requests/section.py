"""The section of refusals."""

from smartauth_probe.checks.check import Section

SECTION = Section("requests", "Refusals", "What is said without a token, in an error, and on pages for everybody")
