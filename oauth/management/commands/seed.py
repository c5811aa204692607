"""`manage.py seed FILE`: people, patients they may act for, clients and FHIR servers from a file."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from oauth.management.verb_command import VerbCommand
from oauth.management.verbs.registration import SEED
from oauth.seeding import SeedError, seed


class Command(VerbCommand):
    verb = SEED

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            outcome = seed(file)
        except SeedError as error:
            raise CommandError(f"{file.name}: {error} Nothing was written.") from None
        if options["json"]:
            found = {"changes": outcome.changes, "warnings": outcome.warnings, "secrets": outcome.secrets}
            self.stdout.write(json.dumps(found, indent=2))
            return
        for change in outcome.changes or ["nothing to change"]:
            self.stdout.write(change)
        for client_id, secret in outcome.secrets.items():
            self.stdout.write(f"secret of {client_id}, shown this once: {secret}")
        for warning in outcome.warnings:
            self.stderr.write(f"warning: {warning}")
