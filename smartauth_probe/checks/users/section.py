"""The section of both."""

from smartauth_probe.checks.check import Section

SECTION = Section("users", "People and backend services", "user/ and system/ scopes")
