"""Django's `createsuperuser` knows no rules of a person and leaves no event: the seed file makes operators."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Refused: an operator is made by `manage.py seed FILE` with `operator: true`."

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv(argv[:2])  # whatever it is asked to do

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(
            "This would make an operator without an event and beside the rules for people. "
            "`manage.py seed FILE` with `operator: true` makes one, `manage.py password USER --set` their password."
        )
