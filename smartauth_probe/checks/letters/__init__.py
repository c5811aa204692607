"""Each interaction with each letter of a scope alone (docs/specification/resource-server.md, interactions)."""

from smartauth_probe.checks.letters import interactions, matrix, scopes
from smartauth_probe.checks.letters.section import SECTION

__all__ = ["SECTION", "interactions", "matrix", "scopes"]
