"""`manage.py restore`: the databases of a backup, with everything ended that was granted in them."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, Error

from accounts.database_failure import text_of
from audit import shipping
from fhir import clock as fhir_clock
from fhir.audit import shipping as fhir_shipping
from oauth.management.operator import operator_at_command_line
from oauth.management.verb_command import VerbCommand
from operators import readiness
from operators.backup.manifest import HalfRestored, UnusableBackup
from operators.backup.postgresql import ProgramFailed
from operators.backup.service import restore_backup
from smart.time_units import DAY
from smartauth.management.verbs import RESTORE
from smartauth.running_server import running_server


class Command(VerbCommand):
    verb = RESTORE
    requires_migrations_checks = False

    def handle(self, *, folder: str, with_trail: bool, yes: bool, **options: Any) -> None:
        place = Path(folder).absolute()
        if server := running_server(settings.SMARTAUTH_DATA_DIR):
            raise CommandError(f"A server with this data folder runs at {server.issuer}. Stop it first.")
        if not yes:
            raise CommandError("What the databases hold now would be lost. Say --yes if that is meant.")
        if not with_trail:
            self._ship_what_waits()
        try:
            manifest = restore_backup(place, operator_at_command_line(), with_trail=with_trail)
        except (UnusableBackup, ProgramFailed) as refused:
            raise CommandError(f"{refused} Nothing has changed.") from None
        except HalfRestored as half:
            raise CommandError(str(half)) from None
        facts = {**asdict(manifest), "can_sign": _can_sign()}
        if options["json"]:
            self.stdout.write(json.dumps(facts))
            return
        self.stdout.write(f"The databases are those of {manifest.made_at}, and everything that was granted has ended.")
        self.stdout.write("Signed assertions that were used since then may be repeated for five minutes from now.")
        if not facts["can_sign"]:
            self.stderr.write("No key can sign: migrate, and look whether SMARTAUTH_KEY_ENCRYPTION_KEYS is the same.")

    def _ship_what_waits(self) -> None:
        """Events of the database that is about to be replaced go to the trail first, as far as both still do that."""
        self._ship("Events", shipping.ship)
        self._ship("Events of the FHIR server", lambda: fhir_shipping.ship(fhir_clock.now() + DAY))  # counted ones too

    def _ship(self, what: str, ship: Callable[[], int]) -> None:
        try:
            ship()
        except Exception as error:  # noqa: BLE001  # a restore is the way out of whatever is wrong here
            why = text_of(error) if isinstance(error, Error | shipping.NotTaken) else type(error).__name__
            self.stderr.write(f"{what} that wait in the database that is replaced are lost with it: {why}")


def _can_sign() -> bool:
    """An older database may lack the tables; `migrate` comes next then."""
    try:
        return readiness.can_sign()
    except DatabaseError:
        return False
