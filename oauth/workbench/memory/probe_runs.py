"""The runs of the probe that were begun on the home page, and their reports: in memory, until the server stops."""

from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from oauth.workbench.memory.recent import Recent
from smart.time_units import to_datetime

MOST = 10  # a report has some hundred kilobytes


@dataclass(slots=True)
class ProbeRun:
    """`title` is the result in words, "" while it runs; `report` a page of HTML, "" where the probe could not run."""

    number: int
    base: str
    name: str
    began_at: int
    total: int
    made: int = 0
    failed: int = 0
    title: str = ""
    report: str = ""
    is_to_stop: bool = False

    @property
    def is_running(self) -> bool:
        return not self.title

    @property
    def began(self) -> datetime:
        return to_datetime(self.began_at)

    @property
    def address(self) -> str:
        """The page that shows how far it is, and then its report."""
        return f"/dev/probe/{self.number}"


_runs: Recent[int, ProbeRun] = Recent(MOST)
_lock = Lock()


def begin_run(base: str, name: str, *, total: int, now: int) -> tuple[ProbeRun, bool]:
    """A new run, and that it is new; while one runs, that one."""
    with _lock:
        known = [run for _, run in _runs.items()]
        running = next((run for run in known if run.is_running), None)
        if running is not None:
            return running, False
        run = ProbeRun(max((each.number for each in known), default=0) + 1, base, name, now, total)
        _runs.put(run.number, run)
        return run, True


def probe_run(number: int) -> ProbeRun | None:
    """The run of that number, while it is remembered."""
    return _runs.get(number)


def last_run_of(base: str) -> ProbeRun | None:
    """The newest run against that FHIR server."""
    return next((run for _, run in reversed(_runs.items()) if run.base == base), None)
