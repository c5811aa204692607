"""Several requests in one Bundle (docs/specification/resource-server.md, batch and transaction)."""

from smartauth_probe.checks.batch import addresses, kinds, reading, transaction, writing
from smartauth_probe.checks.batch.section import SECTION

__all__ = ["SECTION", "addresses", "kinds", "reading", "transaction", "writing"]
