"""What a backup says of itself: which databases of which version lie in its folder."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "backup.json"


class UnusableBackup(Exception):
    """There is no backup that could be restored here; the message says why."""


class HalfRestored(Exception):
    """Something has changed, and not all that should; the message says what."""


@dataclass(frozen=True)
class Manifest:
    """`engine` is django's vendor; `migrations` the latest of each app, by database."""

    version: str
    engine: str
    made_at: str
    migrations: dict[str, list[str]]

    def write(self, folder: Path) -> None:
        """Last of all: a folder without this file is no backup."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Raises UnusableBackup."""
        try:
            return cls(**json.loads((folder / FILE).read_text(encoding="utf-8")))
        except OSError as error:
            raise UnusableBackup(f"{folder / FILE}: {error.strerror}. A backup that was cut short has none.") from None
        except (ValueError, TypeError):
            raise UnusableBackup(f"{folder / FILE} does not describe a backup.") from None
