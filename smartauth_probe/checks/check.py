"""What a check is: data that a person can read, and a small function that sends something and judges the answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, NotRequired, TypeAlias, TypedDict, Unpack

from smartauth_probe.skip import Skip

if TYPE_CHECKING:
    from smartauth_probe.target.probe import Probe


class Outcome(StrEnum):
    FAILED = "failed"
    POLICY = "policy"
    SKIPPED = "skipped"
    PASSED = "passed"


class Danger(IntEnum):
    """What a failed check means for records, most dangerous first."""

    RECORDS = 1  # a record comes out
    WRITES = 2  # a record can be made, changed or deleted
    CONTENT = 3  # a number or an order tells what is in a record
    EXISTENCE = 4  # an answer tells that a record exists
    FORM = 5  # refused, but not as the standards say


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What this server did, in a sentence; of a failure also what was expected and what came."""

    outcome: Outcome
    seen: str = ""
    expected: str = ""
    received: str = ""
    danger: Danger | None = None
    to_run: str = ""

    @property
    def is_failed(self) -> bool:
        return self.outcome is Outcome.FAILED


def passed(seen: str = "") -> Result:
    return Result(outcome=Outcome.PASSED, seen=seen)


def failed(seen: str, expected: str, received: str, danger: Danger | None = None) -> Result:
    return Result(outcome=Outcome.FAILED, seen=seen, expected=expected, received=received, danger=danger)


def policy(seen: str) -> Result:
    """No standard decides it, the server does: reported, and no failure."""
    return Result(outcome=Outcome.POLICY, seen=seen)


def skipped(reason: Skip) -> Result:
    return Result(outcome=Outcome.SKIPPED, seen=str(reason), to_run=reason.to_run)


def worst(*results: Result) -> Result:
    """The one that says most: a failure before a matter of policy before what passed."""
    return min(results, key=lambda result: list(Outcome).index(result.outcome))


Run: TypeAlias = "Callable[[Probe], Result]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`id` is the line of docs/specification/resource-server.md or bad-tokens.md, which several checks may share.

    `title` is what a good server does, `headline` what is wrong with one that fails. `why` has two sentences, of which
    the second is about people. `usual` says of a matter of policy what other servers do. `since` is the FHIR version
    that brought what is asked: an older server is asked too, and its refusal says nothing.
    """

    id: str
    name: str
    section: str
    title: str
    headline: str
    why: str
    fix: str
    source: str
    run: Run = field(repr=False)
    danger: Danger = Danger.RECORDS
    usual: str = ""
    writes: bool = False
    since: str = "DSTU2"

    @property
    def words(self) -> tuple[str, str, str]:
        """What --only and --skip may name it by."""
        return self.id, self.name, self.section


class Words(TypedDict):
    """What a check says beside its id and name."""

    title: str
    headline: str
    why: str
    fix: str
    source: str
    danger: NotRequired[Danger]
    usual: NotRequired[str]
    writes: NotRequired[bool]
    since: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Section:
    """Checks of one part of the specification, in its order."""

    key: str
    title: str
    about: str
    checks: list[Check] = field(default_factory=list)

    def check(self, id: str, name: str, **words: Unpack[Words]) -> Callable[[Run], Run]:  # noqa: A002  # as lines say it
        """Makes a check of a function that judges."""

        def decorate(run: Run) -> Run:
            self.checks.append(Check(id=id, name=name, section=self.key, run=run, **words))
            return run

        return decorate
