"""Bulk export: $export, its jobs and its files (docs/specification/resource-server.md, bulk)."""

from smartauth_probe.checks.bulk import files, kick_off, status
from smartauth_probe.checks.bulk.section import SECTION

__all__ = ["SECTION", "files", "kick_off", "status"]
