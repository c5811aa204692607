"""The primary is lost under load and the standby promoted: what was acknowledged is true afterwards."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.drills.lives import Load
from tests.drills.machines import Pair
from tests.drills.verdict import Examination, Verdict
from tests.flows.app import RESOURCE_SERVER
from tests.running import Server
from tests.waiting import wait_until


class Failover:
    """One drill. `away` are the answers of both machines while there was no database."""

    lost = "killed"

    def __init__(self, *, changes: int) -> None:
        self._changes = changes
        self.away: list[httpx.Response] = []
        self.seconds_away = 0.0

    def run(self, pair: Pair, servers: list[Server]) -> Verdict:
        self.fail_over(pair, servers)
        return self.examine()

    def fail_over(self, pair: Pair, servers: list[Server]) -> None:
        """The load, with the loss and the promotion halfway."""
        pair.complete()
        self._pair, self._servers = pair, servers
        self.load = Load(servers, changes=self._changes)
        self.load.run(halfway=self._replace)
        self.changes_afterwards = self.load.changes - self._changes_before

    def examine(self) -> Verdict:
        """What is found of it by now."""
        return Examination(self.load, self._servers[1]).after_failover()

    def _replace(self) -> None:
        began = time.monotonic()
        self._lose()
        with ThreadPoolExecutor() as machines:
            self.away = list(machines.map(self._ask, self._servers))
        self._changes_before = self.load.changes
        self._pair.promote()
        assert wait_until(lambda: self.load.changes > self._changes_before)
        self.seconds_away = time.monotonic() - began

    def _lose(self) -> None:
        self._pair.writer.kill()

    def _ask(self, server: Server) -> httpx.Response:
        asked, url = {"token": self.load.begun[0].live or "x"}, f"{server.listens_at}/o/introspect"
        return httpx.post(url, data=asked, auth=RESOURCE_SERVER, timeout=60)

    def summary(self) -> str:
        answers = sorted({f"{answer.status_code}" for answer in self.away})
        return (
            f"primary {self.lost} after {self._changes_before:,} changes; answers meanwhile {', '.join(answers)}; "
            f"first change on the promoted standby {self.seconds_away:.1f} s later; {self.changes_afterwards:,} "
            f"changes there; {self.load.unanswered} requests without an answer"
        )


class Partition(Failover):
    """The primary lives on, and its network is cut and stays so. Needs machines on a network."""

    lost = "cut off"

    def _lose(self) -> None:
        assert self._pair.network
        self._pair.network.cut(self._pair.writer.machine)
