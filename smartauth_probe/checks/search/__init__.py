"""What a search may tell: counts, chains, includes, sorting, pages (docs/specification/resource-server.md, search)."""

from smartauth_probe.checks.search import chains, counts, includes, own_references, pages, parameters
from smartauth_probe.checks.search.section import SECTION

__all__ = ["SECTION", "chains", "counts", "includes", "own_references", "pages", "parameters"]
