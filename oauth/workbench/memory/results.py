"""What each FHIR server answered the last time to each kind of token. In memory: no token, nothing of a patient."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from oauth.workbench.memory.recent import Recent
from smart.time_units import to_datetime
from smartauth_probe.verdict import Outcome

MOST = 5000  # of all servers together; one server has as many as there are kinds
GOOD = "good"


@dataclass(frozen=True, slots=True)
class Result:
    """The status, what it is worth, the verdict in words, and when.

    `was_asked`: whether the server asked here about the token; None where nobody can tell.
    """

    status: int
    outcome: Outcome
    title: str
    was_asked: bool | None
    at: int

    @property
    def when(self) -> datetime:
        return to_datetime(self.at)

    @property
    def is_right(self) -> bool:
        return self.outcome is Outcome.PASSED

    @property
    def is_wrong(self) -> bool:
        return self.outcome is Outcome.FAILED


_results: Recent[tuple[str, str], Result] = Recent(MOST)


def remember_result(base: str, kind: str, result: Result) -> None:
    """The result of that kind at that base, in the place of an older one."""
    _results.put((base, kind), result)


def results_of(base: str) -> Mapping[str, Result]:
    """By kind; GOOD is the good twin that went first."""
    return {kind: result for (where, kind), result in _results.items() if where == base}
