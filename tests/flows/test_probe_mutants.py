"""The command that breaks the real servers for the probe: what it says of a mutant that is found, and of others."""

import re
from pathlib import Path

import pytest

from smartauth_probe.checks import all_checks
from tests.probe_mutants.__main__ import Run
from tests.probe_mutants.document import PAGE, with_table
from tests.probe_mutants.mutants import Mutant, read_mutants
from tests.probe_mutants.servers import Servers
from tests.probe_mutants.verdicts import Verdicts
from tests.running import ROOT

pytestmark = pytest.mark.one_engine
CHECKS = [check for check in all_checks() if check.name == "other-patient"]
(FOUND,) = (each for each in read_mutants() if each.name == "out-of-reach-is-another-status")
EQUIVALENT = Mutant(
    name="another-name",
    file="fhir/http/statement.py",
    old='"description": settings.SMARTAUTH_FHIR_NAME',
    new='"description": "Hillside Clinic"',
    checks=("other-patient",),
)
STALE = Mutant(name="stale", file="fhir/http/statement.py", old="def no_such_line", new="")


def test_it_says_what_is_found_what_survives_and_which_line_is_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (ROOT / FOUND.file).read_bytes()

    with Servers() as servers:
        status = Run(servers, Verdicts(tmp_path), checks=CHECKS).all_of([FOUND, EQUIVALENT, STALE])
        printed = capsys.readouterr().out
        # what was found stays so, what is not as it must be is tried anew
        again = Run(servers, Verdicts(tmp_path), checks=CHECKS).all_of([FOUND])

    assert (status, again) == (1, 0)
    assert re.search(rf"^{FOUND.name}  PC-02  {FOUND.file}, bundled\n    [-+] ", printed, re.M)
    assert re.search(r"^  found, 1 failed", printed, re.M)
    assert "by the rule's own: other-patient" in printed
    assert "NOT AS IT MUST BE: survived, 0 failed" in printed
    assert "stale: this line is no longer there in fhir/http/statement.py: def no_such_line" in printed
    assert "bundled, by hand: 2, 1 found, 1 survived" in printed
    assert FOUND.file not in capsys.readouterr().out
    assert (ROOT / FOUND.file).read_bytes() == before


def test_every_mutant_names_checks_that_there_are_or_says_why_nobody_sees_it() -> None:
    mutants, page = read_mutants(), PAGE.read_text(encoding="utf-8")

    assert with_table(page) == page, "python -m tests.probe_mutants --document"
    assert len(mutants) >= 80
    assert [each.name for each in mutants if not (each.checks or each.survives)] == []


def test_the_line_that_a_mutant_breaks_stands_there_once() -> None:
    for each in read_mutants():
        assert each.broken((ROOT / each.file).read_text(encoding="utf-8")), each.name  # raises StaleMutant
