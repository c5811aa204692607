"""A backup is made under load and restored when the load is over: nothing that was granted lives, no event is lost."""

import tempfile
from pathlib import Path

from tests.drills.lives import Load
from tests.drills.machines import Pair
from tests.drills.verdict import Examination, Verdict
from tests.running import Server


class Restore:
    """One drill, on the database of these machines that takes writes."""

    def __init__(self, *, changes: int) -> None:
        self._changes = changes

    def run(self, pair: Pair, servers: list[Server]) -> Verdict:
        self._commands = servers[0]
        with tempfile.TemporaryDirectory() as folder:
            self._backup = Path(folder) / "backup"
            self.load = Load(servers, changes=self._changes)
            self.load.run(halfway=self._back_up)
            for server in servers:
                server.stop()
            self._commands.manage("restore", str(self._backup), "--yes")
        for server in servers:
            server.start()
        return Examination(self.load, servers[1]).after_restore()

    def _back_up(self) -> None:
        self._before = self.load.changes
        self._commands.manage("backup", str(self._backup))
        self._after = self.load.changes

    def summary(self) -> str:
        return (
            f"backup begun after {self._before:,} changes, done after {self._after:,}; the restore undid "
            f"{self.load.changes - self._after:,} and more"
        )
