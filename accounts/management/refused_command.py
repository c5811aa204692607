"""Commands of libraries that know nothing of our rules, events and endings: each is refused and names what to do."""

from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError


class RefusedCommand(BaseCommand):
    """Stands before a library's command of the same name, as `accounts` comes first among the apps."""

    refusal: ClassVar[str]

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv(argv[:2])  # whatever it is asked to do

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(self.refusal)
