"""`manage.py restored-sql`: what empties the database and ends all that was granted, for another way to restore."""
# ruff: noqa: N999  # a command is called by the name of its file

from typing import Any

from accounts import clock
from oauth.ending import restored
from oauth.management.verb_command import VerbCommand
from operators.backup.postgresql import EMPTYING, ending
from smartauth.management.verbs import RESTORED_SQL

WARNING = "-- drops everything in public; only inside the transaction of a restore"


class Command(VerbCommand):
    verb = RESTORED_SQL

    def handle(self, *, before: bool, **options: Any) -> None:
        self.stdout.write(f"{WARNING}\n{EMPTYING}" if before else ending(restored.statements(clock.now())))
