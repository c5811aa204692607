"""The report: what was probed, how, and with what result; the forms that it is written in are made from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from smartauth_probe import __version__
from smartauth_probe.checks import sections
from smartauth_probe.checks.check import Danger, Outcome, Section
from smartauth_probe.report.accepted import Accepted
from smartauth_probe.report.evidence import Evidence
from smartauth_probe.report.repeating import USUALLY, Repeating, repeating
from smartauth_probe.runner import CheckResult, Run
from smartauth_probe.target.probe import Probe

MEANS = {
    Danger.RECORDS: "records come out that the token must not open",
    Danger.WRITES: "records can be changed that the token must not change",
    Danger.CONTENT: "a number or an order tells what is in hidden records",
    Danger.EXISTENCE: "an answer tells that a record exists",
    Danger.FORM: "an answer is not what the standards say",
}
ALL_GOOD, FINDINGS, COULD_NOT_RUN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Report:
    run: Run
    server: str
    says_it_is: str
    tokens_from: str
    patients: tuple[str, ...]
    requests: int
    writes: bool
    evidence: Evidence
    accepted: Mapping[str, Accepted] = field(default_factory=dict)
    remains: tuple[str, ...] = ()  # what was made and could not be deleted
    again: Repeating = USUALLY
    version: str = __version__

    @classmethod
    def about(
        cls,
        probe: Probe,
        run: Run,
        evidence: Evidence,
        accepted: Mapping[str, Accepted] | None = None,
        again: Repeating | None = None,
    ) -> "Report":
        b = [probe.fixture.other.id] if probe.fixture.other else []
        return cls(
            run,
            probe.client.base,
            str(probe.facts),
            probe.source.description,
            (probe.a.id, *b),
            probe.client.sent,
            probe.writes,
            evidence,
            accepted or {},
            tuple(probe.remains),
            again or repeating("smartauth probe", probe.client.base, probe.source),
        )

    @property
    def failed(self) -> list[CheckResult]:
        """Those that nobody accepted, most dangerous first."""
        found = (each for each in self.run.of(Outcome.FAILED) if each.check.name not in self.accepted)
        return sorted(found, key=lambda each: each.danger)

    @property
    def accepted_failures(self) -> list[CheckResult]:
        return [each for each in self.run.of(Outcome.FAILED) if each.check.name in self.accepted]

    @property
    def exit_status(self) -> int:
        """0 where nothing failed, 1 where something did, 2 where the server stopped answering before the end."""
        if self.failed:
            return FINDINGS
        return COULD_NOT_RUN if self.run.stopped else ALL_GOOD

    @property
    def title(self) -> str:
        """The result in words."""
        return result_title(
            len(self.run.results),
            self.run.chosen,
            failed=len(self.failed),
            passed=len(self.run.of(Outcome.PASSED)),
            is_stopped=bool(self.run.stopped),
        )

    @property
    def by_section(self) -> list[tuple[Section, dict[Outcome, int]]]:
        """How many of each outcome, for the sections of which a check was made; accepted ones count as policy."""
        found: dict[str, dict[Outcome, int]] = {}
        for each in self.run.results:
            is_accepted = each.result.is_failed and each.check.name in self.accepted
            outcome = Outcome.POLICY if is_accepted else each.result.outcome
            counts = found.setdefault(each.check.section, dict.fromkeys(Outcome, 0))
            counts[outcome] += 1
        return [(section, found[section.key]) for section in sections() if section.key in found]


def result_title(made: int, chosen: int, *, failed: int, passed: int, is_stopped: bool) -> str:
    """The result in words."""
    if is_stopped:
        return f"Stopped after {made} of {chosen} checks: {_number(failed)} failed so far"
    if not failed:
        return f"No check failed: {passed} of {chosen} passed"
    return f"{failed} of {chosen} checks failed"


def _number(count: int) -> str:
    return str(count) if count else "none"


def lead(report: Report) -> str:
    """What the result means for records."""
    dangers = [each.danger for each in report.failed]
    ways = [
        f"in {count} {'checks' if count > 1 else 'check'} {MEANS[each]}"
        for each in Danger
        if (count := dangers.count(each))
    ]
    told = f"{'; '.join(ways)}." if ways else "Every bad token was refused, and nothing hidden was told."
    out = "" if Danger.RECORDS in dangers or not ways else " No record of another patient came out."
    return f"{told[0].upper()}{told[1:]}{out}"
