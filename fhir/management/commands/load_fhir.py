"""manage.py load_fhir FILE ...: put demo or test resources into the bundled FHIR server."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fhir.store.loading import load_file
from smart.text import ascii_excerpt


class Command(BaseCommand):
    help = "Loads resources from JSON arrays; a file is named after its FHIR version (r4.json). Idempotent."
    requires_system_checks: list[str] = []  # they are about code

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path)

    def handle(self, *args: Any, files: list[Path], **options: Any) -> None:
        for file in files:
            shown = ascii_excerpt(str(file), 1000)
            try:
                count = load_file(file)
            except (OSError, ValueError) as error:
                raise CommandError(f"{shown}: {error}. Nothing of it was loaded.") from None
            self.stdout.write(f"{file.name}: {count} resources")
