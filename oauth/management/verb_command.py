"""A verb as a command of manage.py."""

from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser

from oauth.management.verb import Verb


class VerbCommand(BaseCommand):
    """Takes what its verb declares. Django's checks are about code: tests run them, not everybody who lists a key."""

    verb: ClassVar[Verb]
    requires_system_checks: list[str] = []

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.help = cls.verb.help

    def add_arguments(self, parser: CommandParser) -> None:
        self.verb.add_to(parser)
