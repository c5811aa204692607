"""`manage.py fhir-audit`: AuditEvents and Provenance of the bundled FHIR server as NDJSON; cutting off old ones."""
# ruff: noqa: N999  # a command is called by the name of its file

import json
from datetime import UTC, datetime, time
from typing import Any

from django.core.management.base import CommandError
from django.utils.dateparse import parse_date, parse_datetime

from fhir.audit import export
from oauth.management.verb_command import VerbCommand
from smart.text import ascii_excerpt
from smartauth.management.verbs import FHIR_AUDIT

PROGRESS = 10_000


class Command(VerbCommand):
    verb = FHIR_AUDIT

    def handle(self, *, action: str, **options: Any) -> None:
        {"export": self._export, "cut": self._cut}[action](options)

    def _export(self, options: dict[str, Any]) -> None:
        bounds = [_moment(options[name]) if options[name] else None for name in ("since", "until")]
        count, complete = 0, export.complete_until()
        for resource in export.resources(options["fhir_version"], options["type"], *bounds):
            self.stdout.write(resource)
            count += 1
            if count % PROGRESS == 0:
                self.stderr.write(f"{count} so far")
        complete = min(complete, bounds[1] or complete)
        self.stderr.write(f"{count} {options['type']}, complete until {complete.isoformat()}")

    def _cut(self, options: dict[str, Any]) -> None:
        before = _moment(options["before"])
        if not options["yes"]:
            raise CommandError("What is cut is gone. Export it first if it must be kept, then say --yes.")
        count = export.cut(before)
        told = {"deleted": count, "before": before.isoformat()}
        self.stdout.write(json.dumps(told) if options["json"] else f"{count} records from before {before} are gone.")


def _moment(text: str) -> datetime:
    try:
        found = parse_datetime(text)
        day = parse_date(text) if found is None else None
    except ValueError:
        found = day = None
    if day is not None:
        return datetime.combine(day, time.min, UTC)
    if found is None:
        raise CommandError(f"{ascii_excerpt(text)} is neither a day (2026-11-29) nor a time (2026-11-29T08:00Z).")
    return found if found.tzinfo else found.replace(tzinfo=UTC)
