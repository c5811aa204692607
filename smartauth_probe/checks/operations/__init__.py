"""Operations, whose names begin with $ (docs/specification/resource-server.md, operations)."""

from smartauth_probe.checks.operations import everything, graphql, named, subscription, unknown, writing
from smartauth_probe.checks.operations.section import SECTION

__all__ = ["SECTION", "everything", "graphql", "named", "subscription", "unknown", "writing"]
