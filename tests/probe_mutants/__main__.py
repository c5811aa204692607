"""`python -m tests.probe_mutants [NAME...]`: breaks one line of the real servers at a time; the probe must find it.

NAME is a mutant or a pattern (fnmatch); without one all are tried, and with `--generated` those that mutmut's operators
make too. A verdict is kept in var/probe-mutants (PROBE_MUTANTS_DIR): a run that was stopped goes on where it was, and
only what is not as expected is tried anew (`--again`: everything). Ends with 1 if a mutant is not found by a check that
names its rule and nothing explains that, or if its line is no longer there.
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Check
from tests.probe_mutants.document import document
from tests.probe_mutants.generated import generated_mutants
from tests.probe_mutants.mutants import Mutant, StaleMutant, read_mutants
from tests.probe_mutants.probing import TIMING, Finding, Seen, Verdict, judge, probe
from tests.probe_mutants.servers import NotServed, Servers, prepare_environment
from tests.probe_mutants.verdicts import Verdicts, is_right, score


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.document:
        document()
        return 0
    chosen = [mutant for mutant in read_mutants() if _is_named(mutant, options.names)]
    if options.generated:
        chosen += [mutant for mutant in generated_mutants() if _is_named(mutant, options.names)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # ends what runs
    with prepare_environment(), Servers() as servers:
        return Run(servers, Verdicts(), again=options.again).all_of(chosen)


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m tests.probe_mutants")
    made.add_argument("names", nargs="*", metavar="NAME")
    made.add_argument("--again", action="store_true", help="also what an earlier run has found")
    made.add_argument("--generated", action="store_true", help="also those that mutmut's operators make")
    made.add_argument("--document", action="store_true", help="writes the tables of docs/probe-mutation-tests.md")
    return made


def _is_named(mutant: Mutant, patterns: Iterable[str]) -> bool:
    return not patterns or any(fnmatchcase(mutant.name, pattern) for pattern in patterns)


class Run:
    """Tries mutants one by one, and tells of each."""

    def __init__(
        self, servers: Servers, verdicts: Verdicts, *, again: bool = False, checks: Sequence[Check] = all_checks()
    ) -> None:
        self._servers, self._verdicts, self._again, self._checks = servers, verdicts, again, checks
        self._unbroken: dict[tuple[str, bool], Seen] = {}
        self.wrong: list[str] = []

    def all_of(self, mutants: Sequence[Mutant]) -> int:
        """The exit status."""
        findings: dict[Mutant, Finding] = {}
        for mutant in mutants:
            try:
                findings[mutant] = self._finding(mutant)
            except StaleMutant as problem:
                self.wrong.append(f"{mutant.name}: {problem}")
                _say(self.wrong[-1])
        _say(f"\n{score(findings)}")
        for line in self.wrong:
            _say(f"not as it must be: {line}")
        return int(bool(self.wrong))

    def _finding(self, mutant: Mutant) -> Finding:
        """What was found before, where that was right; else what is found now. Raises StaleMutant."""
        text = self._servers.tree.text(mutant.file)
        digest = mutant.digest(text)
        finding = None if self._again else self._verdicts.of(mutant, digest)
        if finding is None or not is_right(mutant, finding):
            unbroken = self._seen_unbroken(mutant)
            finding = self._try(mutant, text, unbroken)
            self._verdicts.keep(mutant, digest, finding)
            _tell(mutant, finding)
        if not is_right(mutant, finding):
            self.wrong.append(f"{mutant.name}: {finding.verdict}")
        return finding

    def _seen_unbroken(self, mutant: Mutant) -> Seen:
        """Where a check fails without a mutant, its failure says nothing. Raises RuntimeError."""
        key = mutant.server, mutant.writes
        if key not in self._unbroken:
            checks = [check for check in self._checks if check.name != TIMING]
            with self._servers.of(mutant.server).serve() as served:
                seen = probe(served, checks, writes=mutant.writes)
            if seen.failed:
                raise RuntimeError(f"{mutant.server}: these fail while nothing is broken: {', '.join(seen.failed)}")
            self._unbroken[key] = seen
        return self._unbroken[key]

    def _try(self, mutant: Mutant, text: str, unbroken: Seen) -> Finding:
        began = time.monotonic()
        with self._servers.tree.broken(mutant.file, mutant.broken(text)):
            try:
                with self._servers.of(mutant.server).serve(mutant) as served:
                    return judge(served, mutant, self._checks, unbroken)
            except NotServed as problem:
                return Finding(Verdict.NOT_SERVED, said=str(problem), seconds=time.monotonic() - began)


def _tell(mutant: Mutant, finding: Finding) -> None:
    """What was broken, which checks failed, and whether that is as expected."""
    mark = "" if is_right(mutant, finding) else "NOT AS IT MUST BE: "
    _say(f"\n{mutant.name}  {mutant.rule}  {mutant.file}, {mutant.server}")
    for line in mutant.diff:
        _say(f"    {line}")
    _say(f"  {mark}{finding.verdict}, {len(finding.failed)} failed, {finding.seconds:.1f} s {finding.said}".rstrip())
    expected = {check.name for check in all_checks() if mutant.expects(check)}
    named = [name for name in finding.failed if name in expected]
    others = [name for name in finding.failed if name not in expected]
    for words, names in (("by the rule's own", named), ("others", others)):
        if names:
            _say(f"  {words}: {', '.join(names[:8])}{' ...' if len(names) > 8 else ''}")
    if mutant.survives:
        _say(f"  because: {mutant.survives}")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
