"""What earlier runs found, so that one that was stopped goes on where it was."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.probe_mutants.mutants import Mutant
from tests.probe_mutants.probing import Finding, Verdict
from tests.running import ROOT

STORE = Path(os.environ.get("PROBE_MUTANTS_DIR") or ROOT / "var/probe-mutants").resolve()


class Verdicts:
    """By the name of the mutant; one of an older line or list of checks does not count."""

    def __init__(self, folder: Path = STORE) -> None:
        self._file = folder / "findings.json"
        self._kept = self._read()

    def _read(self) -> dict[str, dict[str, object]]:
        found: dict[str, dict[str, object]] = {}
        if self._file.exists():
            found = json.loads(self._file.read_text(encoding="utf-8"))
        return found

    def of(self, mutant: Mutant, digest: str) -> Finding | None:
        kept = self._kept.get(mutant.name)
        if kept is None or kept["digest"] != digest:
            return None
        members = {name: value for name, value in kept.items() if name != "digest"}
        members |= {"verdict": Verdict(str(kept["verdict"])), "failed": tuple(kept["failed"])}  # type: ignore[arg-type]
        return Finding(**members)  # type: ignore[arg-type]

    def keep(self, mutant: Mutant, digest: str, finding: Finding) -> None:
        """Written at once, and whole or not at all."""
        self._kept = self._read()  # another run may have written meanwhile
        self._kept[mutant.name] = {
            "digest": digest,
            "verdict": str(finding.verdict),
            "failed": list(finding.failed),
            "said": finding.said,
            "seconds": round(finding.seconds, 1),
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(self._kept, indent=1, sort_keys=True), encoding="utf-8")
        new.replace(self._file)


def is_right(mutant: Mutant, finding: Finding) -> bool:
    """Whether that is what was expected of it: found by a check that names the rule, or explained."""
    if mutant.survives:
        return finding.verdict is Verdict.SURVIVED
    if mutant.is_generated:
        return finding.is_noticed
    return finding.verdict is (Verdict.POLICY if mutant.policy else Verdict.FOUND)


def score(findings: Mapping[Mutant, Finding]) -> str:
    """A line for each server: how many mutants, and what became of them."""
    counted: dict[str, Counter[str]] = {}
    for mutant, finding in findings.items():
        kind = "explained" if mutant.survives and not finding.is_noticed else str(finding.verdict)
        name = f"{mutant.server}, {'generated' if mutant.is_generated else 'by hand'}"
        counted.setdefault(name, Counter())[kind] += 1
    return "\n".join(f"{name}: {counts.total()}, {_words(counts.most_common())}" for name, counts in counted.items())


def _words(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in counts)
