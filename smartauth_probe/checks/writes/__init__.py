"""What may be written, and about which patient (docs/specification/resource-server.md, writes)."""

from smartauth_probe.checks.writes import conditional, conditional_create, create, delete, granular, patch, update
from smartauth_probe.checks.writes.section import SECTION

__all__ = ["SECTION", "conditional", "conditional_create", "create", "delete", "granular", "patch", "update"]
