"""What the probe saw counts as what the FHIR server answered: the checklist and the list of kinds show it too."""

from collections.abc import Mapping, Sequence

from accounts import clock
from oauth.workbench.memory.questions import question_about
from oauth.workbench.memory.results import GOOD, Result, remember_result
from smartauth_probe.catalogue import kinds
from smartauth_probe.checks.check import Outcome as OfCheck
from smartauth_probe.requests import Presentation
from smartauth_probe.runner import CheckResult
from smartauth_probe.target.client import Exchange
from smartauth_probe.target.probe import Probe
from smartauth_probe.verdict import Outcome

OUTCOMES: Mapping[OfCheck, Outcome] = {
    OfCheck.PASSED: Outcome.PASSED,
    OfCheck.FAILED: Outcome.FAILED,
    OfCheck.POLICY: Outcome.NOT_CHECKED,
}
LET_IN = "Your server let it in"


def remember_good_token(probe: Probe) -> None:
    """Of a probe that may begin: a good token was let in."""
    reads = [each for each in probe.client.exchanges if each.request.path == probe.a.path]
    _remember(probe.client.base, GOOD, reads, Outcome.PASSED, LET_IN)


def remember_check(base: str, made: CheckResult) -> None:
    """Of a check that sent a token of the catalogue; what was skipped says nothing."""
    name, outcome = made.check.name, OUTCOMES.get(made.result.outcome)
    if name in kinds() and outcome is not None:
        sent = [each for each in made.exchanges if each.token == name]
        _remember(base, name, sent, outcome, made.result.seen)


def _remember(base: str, kind: str, exchanges: Sequence[Exchange], outcome: Outcome, title: str) -> None:
    """The last of them that was answered."""
    for each in reversed(exchanges):
        if each.answer is not None:
            was_asked = question_about(_presented_token(each.request)) is not None
            remember_result(base, kind, Result(each.answer.status, outcome, title, was_asked, clock.now()))
            return


def _presented_token(request: Presentation) -> str:
    """As the Authorization header has it, "" where it stands somewhere else."""
    values = [value for name, value in request.headers if name.lower() == "authorization"]
    return values[0].partition(" ")[2] if values else ""
