"""With what result FHIR servers were probed from a shell, and the newest probe of each: in memory, until we stop."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from oauth.workbench.memory.probe_runs import ProbeRun, last_run_of
from oauth.workbench.memory.recent import Recent
from smart.time_units import to_datetime

MOST = 100
NAMED = 5


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """A run that the probe told us about; its report is where somebody wanted it. `failed` are names of checks."""

    began_at: int
    result: str
    failed: tuple[str, ...] = ()
    address: str = ""

    @property
    def began(self) -> datetime:
        return to_datetime(self.began_at)

    @property
    def title(self) -> str:
        """The result in words, with the first checks that failed."""
        more = len(self.failed) - NAMED
        named = ", ".join(self.failed[:NAMED]) + (f" and {more} more" if more > 0 else "")
        return f"{self.result}: {named}" if named else self.result


Probed: TypeAlias = ProbeRun | ProbeResult
_results: Recent[str, ProbeResult] = Recent(MOST)


def remember_probe(base: str, result: ProbeResult) -> None:
    """The result of a run against that FHIR server, in the place of an older one."""
    _results.put(base, result)


def last_probe_of(base: str) -> Probed | None:
    """The newest probe of that FHIR server, from the home page or from a shell."""
    run, result = last_run_of(base), _results.get(base)
    if run is None or result is None:
        return run or result
    return result if result.began_at >= run.began_at else run
