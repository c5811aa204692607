"""People and backend services (docs/specification/resource-server.md, user/ and system/)."""

from smartauth_probe.checks.users import people, services
from smartauth_probe.checks.users.section import SECTION

__all__ = ["SECTION", "people", "services"]
