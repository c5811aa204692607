"""`manage.py backup`: both databases into a folder, while the servers run."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import Error

from oauth.management.verb_command import VerbCommand
from operators.backup.postgresql import ProgramFailed
from operators.backup.service import make_backup
from smartauth.management.verbs import BACKUP


class Command(VerbCommand):
    verb = BACKUP

    def handle(self, *, folder: str, **options: Any) -> None:
        place = Path(folder).absolute()
        try:
            manifest = make_backup(place)
        except FileExistsError:
            raise CommandError(f"{place} is there already. A backup gets a folder of its own.") from None
        except ProgramFailed as failed:
            raise CommandError(f"{failed} {_begun(place)}") from None
        except OSError as error:
            raise CommandError(f"{error.filename or place}: {error.strerror}. {_begun(place)}") from None
        except Error:
            self.stderr.write(_begun(place))
            raise
        if options["json"]:
            self.stdout.write(json.dumps({"folder": str(place), **asdict(manifest)}))
            return
        self.stdout.write(f"{place} holds both databases as of {manifest.made_at}.")
        self.stdout.write("The keys in it are of use only with SMARTAUTH_KEY_ENCRYPTION_KEYS, which is not in it.")


def _begun(place: Path) -> str:
    return f"There is no backup: {place} holds what was begun." if place.exists() else "There is no backup."
