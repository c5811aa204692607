"""The primary is killed under load and the standby promoted: what was acknowledged is true afterwards."""

import time

import httpx

from tests.drills.lives import Load
from tests.drills.machines import Pair
from tests.drills.verdict import Examination, Verdict
from tests.flows.app import RESOURCE_SERVER
from tests.running import Server
from tests.waiting import wait_until


class Failover:
    """One drill. `away` are the answers of both machines while there was no database."""

    def __init__(self, *, changes: int) -> None:
        self._changes = changes
        self.away: list[httpx.Response] = []
        self.seconds_away = 0.0

    def run(self, pair: Pair, servers: list[Server]) -> Verdict:
        self._pair, self._servers = pair, servers
        self.load = Load(servers, changes=self._changes)
        self.load.run(halfway=self._fail_over)
        self.changes_afterwards = self.load.changes - self._changes_before
        return Examination(self.load, servers[1]).after_failover()

    def _fail_over(self) -> None:
        began = time.monotonic()
        self._pair.primary.kill()
        self._changes_before = self.load.changes
        for server in self._servers:
            asked = {"token": self.load.begun[0].live or "x"}
            url = f"http://127.0.0.1:{server.port}/o/introspect"
            self.away.append(httpx.post(url, data=asked, auth=RESOURCE_SERVER, timeout=30))
        self._pair.standby.promote()
        self._pair.is_promoted = True
        wait_until(lambda: self.load.changes > self._changes_before)
        self.seconds_away = time.monotonic() - began

    def summary(self) -> str:
        answers = sorted({f"{answer.status_code}" for answer in self.away})
        return (
            f"primary killed after {self._changes_before:,} changes; answers meanwhile {', '.join(answers)}; first "
            f"change on the promoted standby {self.seconds_away:.1f} s after the kill; {self.changes_afterwards:,} "
            f"changes there; {self.load.unanswered} requests without an answer"
        )
