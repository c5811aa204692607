"""Makes one check after the other, and ends with a report whatever the server does."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from smartauth_probe.checks.check import Check, Danger, Outcome, Result, failed, skipped, worst
from smartauth_probe.raw_http import NoAnswer
from smartauth_probe.requests import Presentation
from smartauth_probe.skip import Skip
from smartauth_probe.target.client import Exchange, Stop
from smartauth_probe.target.probe import Probe

REPEATED = 2  # more times, before a failure is believed
KEPT = 8  # exchanges of a check, the last ones
INTERRUPTED = "it was told to, by Ctrl-C or SIGTERM"

Observe = Callable[["CheckResult", int, int], None]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`failures` of `tries`: a failure is seen more than once before it is called one."""

    check: Check
    result: Result
    exchanges: tuple[Exchange, ...] = ()
    failures: int = 0
    tries: int = 1

    @property
    def danger(self) -> Danger:
        return self.result.danger or self.check.danger


@dataclass(frozen=True, slots=True)
class Run:
    """`stopped` is why not all of `chosen` checks were made, "" where they were."""

    results: tuple[CheckResult, ...]
    chosen: int
    began: datetime
    seconds: float
    stopped: str = ""

    def of(self, outcome: Outcome) -> list[CheckResult]:
        return [each for each in self.results if each.result.outcome is outcome]


def chosen(checks: Iterable[Check], only: Iterable[str] = (), skip: Iterable[str] = ()) -> list[Check]:
    """Those whose id, name or section fits a pattern such as `aud-*`, and no pattern of those to skip."""
    wanted, unwanted = list(only), list(skip)
    return [each for each in checks if (not wanted or _fits(each, wanted)) and not _fits(each, unwanted)]


def _fits(check: Check, patterns: list[str]) -> bool:
    return any(fnmatchcase(word, pattern) for word in check.words for pattern in patterns)


def run(probe: Probe, checks: list[Check], observe: Observe = lambda *_: None) -> Run:
    """Every check in turn. What stops it, Ctrl-C among it, leaves what was found so far."""
    began, clock, results, stopped = datetime.now(UTC), time.monotonic(), list[CheckResult](), ""
    try:
        for number, check in enumerate(checks, 1):
            results.append(make(probe, check))
            observe(results[-1], number, len(checks))
            _refuse_unless_alive(probe)
    except KeyboardInterrupt:
        stopped = INTERRUPTED
    except (Stop, NoAnswer) as reason:
        stopped = str(reason)
    return Run(tuple(results), len(checks), began, time.monotonic() - clock, stopped)


def make(probe: Probe, check: Check) -> CheckResult:
    """One check; one that fails and only reads is made twice more, and most of them count. Raises Stop."""
    results, exchanges = [_with_live_tokens(probe, check)], tuple(probe.client.exchanges)
    if results[0].is_failed and not check.writes:
        results += [_with_live_tokens(probe, check) for _ in range(REPEATED)]
    failures = [each for each in results if each.is_failed]
    result = worst(*results) if len(failures) * 2 > len(results) else _unsteady(results, failures)
    return CheckResult(check, result, exchanges[-KEPT:], len(failures), len(results))


def _with_live_tokens(probe: Probe, check: Check) -> Result:
    """An authorization server may end the tokens of somebody who is refused again and again: then with new ones.

    A dead token would pass every check, since it is refused everywhere. One that writes has undone what it did.
    """
    probe.client.exchanges.clear()
    result = _result(probe, check)
    if not probe.is_good_token_refused:
        return result
    probe.forget_tokens()
    probe.client.exchanges.clear()
    return _result(probe, check)


def _unsteady(results: list[Result], failures: list[Result]) -> Result:
    """The last result; one failure of three is told, since something else may have changed the records meanwhile."""
    if not failures:
        return results[-1]
    return replace(failures[0], outcome=Outcome.POLICY, seen=f"Once of {len(results)} times: {failures[0].seen}")


def _result(probe: Probe, check: Check) -> Result:
    try:
        return _of_version(probe, check, check.run(probe))
    except Skip as reason:
        return _of_version(probe, check, skipped(reason))
    except NoAnswer as problem:
        return failed("The server gave no answer.", "an answer", str(problem), Danger.FORM)
    except Stop:
        raise
    except Exception as fault:  # noqa: BLE001  # whatever a server sends, the report is written
        return skipped(Skip(f"The probe itself failed here: {type(fault).__name__}.", "report it as a bug"))


def _of_version(probe: Probe, check: Check, result: Result) -> Result:
    """What an older FHIR version does not have says nothing, unless it leaks all the same."""
    if result.is_failed or not probe.facts.is_before(check.since):
        return result
    return skipped(Skip(f"FHIR {probe.facts.version} has no such thing: it came with {check.since}."))


def _refuse_unless_alive(probe: Probe) -> None:
    """Raises Stop where the last request had no answer, and another one for what needs no token has none either."""
    if probe.client.unanswered and not probe.client.is_dry:
        try:
            probe.client.send(Presentation("metadata"))
        except NoAnswer as problem:
            raise Stop(f"The server does not answer any more: {problem}") from None


def planned(probe: Probe, checks: Iterable[Check]) -> Iterator[tuple[Check, Result, tuple[Exchange, ...]]]:
    """What each check would send first, with a client that sends nothing; what follows from answers is not known."""
    for check in checks:
        probe.client.exchanges.clear()
        result = _result(probe, check)
        yield check, result, tuple(probe.client.exchanges)
