"""What the probe says of a server, broken or not."""

import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Self

from smartauth_probe.checks.check import Check, Outcome
from smartauth_probe.development_server import DevelopmentServer
from smartauth_probe.runner import CheckResult, run
from smartauth_probe.target.client import Client, Limits, Stop
from smartauth_probe.target.discovery import CouldNotRun, prepare
from smartauth_probe.tokens.development import DevelopmentTokens
from tests.probe_mutants.mutants import Mutant

SECONDS, WHOLE = 5.0, 600.0  # for one answer, for one run: also on a busy machine
TIMING = "timing"  # a busy machine has a word in it
ENOUGH = "what was looked for is found"
IsEnough = Callable[[CheckResult], bool]


@dataclass(frozen=True, slots=True)
class Served:
    """A FHIR base, and the development smartauth whose tokens it takes, for this app and person."""

    base: str
    authority: str
    client: str = "demo-public"
    user: str = "amy"
    patients: tuple[str, ...] = ()


class Verdict(StrEnum):
    FOUND = "found"
    POLICY = "reported as a matter of policy"
    ELSEWHERE = "found by other checks"
    UNUSABLE = "refuses a good token"
    NOT_SERVED = "does not start"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a mutant: the checks that failed, and in how many seconds."""

    verdict: Verdict
    failed: tuple[str, ...] = ()
    said: str = ""
    seconds: float = 0.0

    @property
    def is_noticed(self) -> bool:
        return self.verdict is not Verdict.SURVIVED


@dataclass(frozen=True, slots=True)
class Seen:
    """The names of the checks that fail at a server, and of those that report a matter of policy."""

    failed: frozenset[str] = frozenset()
    policy: frozenset[str] = frozenset()

    def __or__(self, other: Self) -> Self:
        return replace(self, failed=self.failed | other.failed, policy=self.policy | other.policy)


def probe(served: Served, checks: Sequence[Check], *, writes: bool = False, enough: IsEnough = lambda _: False) -> Seen:
    """What these checks see there, until one of them is enough. Raises CouldNotRun, also where not all were made."""

    def observe(made: CheckResult, number: int, total: int) -> None:
        if enough(made):
            raise Stop(ENOUGH)

    client = Client(served.base, limits=Limits(seconds=SECONDS, whole=WHOLE))
    source = DevelopmentTokens(
        DevelopmentServer(served.authority), client=served.client, user=served.user, aud=served.base,
        patient=served.patients[0] if served.patients else "",
    )  # fmt: skip
    made = run(prepare(client, source, served.patients, writes=writes), list(checks), observe)
    if made.stopped not in ("", ENOUGH) and not made.of(Outcome.FAILED):
        raise CouldNotRun(made.stopped)
    outcomes = {kind: frozenset(each.check.name for each in made.of(kind)) for kind in (Outcome.FAILED, Outcome.POLICY)}
    return Seen(outcomes[Outcome.FAILED], outcomes[Outcome.POLICY])


def judge(served: Served, mutant: Mutant, checks: Sequence[Check], unbroken: Seen) -> Finding:
    """First the checks that must see it, then all others, as far as they are among `checks`."""
    began, seen = time.monotonic(), Seen()
    expected = {check.name for check in checks if mutant.expects(check)}
    try:
        for part in parts(mutant, checks):
            seen |= probe(served, part, writes=mutant.writes, enough=partial(_is_enough, expected))
            if expected & (seen.failed | (seen.policy - unbroken.policy if mutant.policy else frozenset())):
                break
    except CouldNotRun as reason:
        return Finding(Verdict.UNUSABLE, said=str(reason), seconds=time.monotonic() - began)
    verdict = _verdict(seen, expected, seen.policy - unbroken.policy)
    return Finding(verdict, tuple(sorted(seen.failed)), seconds=time.monotonic() - began)


def _is_enough(expected: Set[str], made: CheckResult) -> bool:
    """One that must see it; any, where none is named."""
    return made.result.is_failed and (not expected or made.check.name in expected)


def parts(mutant: Mutant, checks: Sequence[Check]) -> list[list[Check]]:
    """The checks that must fail, and the others."""
    made = [check for check in checks if check.name != TIMING or TIMING in mutant.checks]
    first = [check for check in made if mutant.expects(check)]
    return list(filter(None, [first, [check for check in made if check not in first]]))


def _verdict(seen: Seen, expected: Set[str], told: Set[str]) -> Verdict:
    if expected & seen.failed or (seen.failed and not expected):
        return Verdict.FOUND
    if expected & told or (told and not (expected or seen.failed)):
        return Verdict.POLICY
    return Verdict.ELSEWHERE if seen.failed else Verdict.SURVIVED
