"""`manage.py restored-sql`: what ends all that was granted, for a restore that is not done by `restore`."""
# ruff: noqa: N999  # a command is called by the name of its file

from typing import Any

from accounts import clock
from oauth.ending import restored
from oauth.management.verb_command import VerbCommand
from operators.backup.postgresql import ending
from smartauth.management.verbs import RESTORED_SQL


class Command(VerbCommand):
    verb = RESTORED_SQL

    def handle(self, **options: Any) -> None:
        self.stdout.write(ending(restored.statements(clock.now())))
