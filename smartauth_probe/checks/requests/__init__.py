"""How a token is asked for and refused, whatever is in it (docs/specification/resource-server.md, token checks)."""

from smartauth_probe.checks.requests import errors, tokens_in_use, transport, without_token
from smartauth_probe.checks.requests.section import SECTION

__all__ = ["SECTION", "errors", "tokens_in_use", "transport", "without_token"]
