"""Django's `changepassword` ends nothing and leaves no event: `manage.py password` stands in its place."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Refused: `manage.py password USER --set` sets a password."

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv(argv[:2])  # whatever it is asked to do

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(
            "This would change a password without an event and leave sessions and access as they are. "
            "`manage.py password USER --set` sets a new one and ends both."
        )
