"""No false finding, and no missed fault: a server that does it right, and one broken on purpose for each check."""

import functools
from fnmatch import fnmatchcase

import pytest

from smartauth_probe.checks import all_checks, sections
from smartauth_probe.checks.check import Check, Outcome
from smartauth_probe.runner import chosen, make, run
from smartauth_probe.target.discovery import prepare
from smartauth_probe.target.probe import Probe
from tests.smartauth_probe.checks.faults import FAULTS
from tests.smartauth_probe.small_server import OpenTokens, client_of

pytestmark = pytest.mark.one_engine
# those of the catalogue are judged in test_verdict.py; a fault "" says that there is no failure, only policy
CHECKS = [check for check in all_checks() if check.section != "tokens" and FAULTS.get(check.name) != ""]


@functools.cache
def prepared() -> Probe:
    """What is found in the right server, once for all."""
    return prepare(client_of(), OpenTokens(), writes=True)


def probe_of(*faults: str) -> Probe:
    found = prepared()
    return Probe(client_of(*faults), found.source, found.facts, found.fixture, writes=True)


def fault_of(check: Check) -> str:
    """The fault of the first pattern that fits the name."""
    return next(fault for pattern, fault in FAULTS.items() if fnmatchcase(check.name, pattern))


@pytest.mark.requirement("TV-33")
def test_a_server_that_does_everything_right_fails_nowhere() -> None:
    made = run(probe_of(), list(all_checks()))

    assert [(each.check.name, each.result) for each in made.of(Outcome.FAILED)] == []
    assert not [each for each in made.results if "probe itself" in each.result.seen]


@pytest.mark.parametrize("section", ["writes", "batch", "bulk"])
def test_writes_batches_and_exports_are_really_made_of_it(section: str) -> None:
    made = run(probe_of(), chosen(all_checks(), [section]))

    skipped = {each.check.name for each in made.of(Outcome.SKIPPED)}
    assert skipped - {"create-by-update"} == set()  # it makes no records by PUT


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_server_that_is_broken_for_a_check_fails_it(check: Check) -> None:
    probe = probe_of(*fault_of(check).split())

    assert make(probe, check).result.outcome is Outcome.FAILED


@pytest.mark.requirement("IX-03")
def test_an_interaction_that_takes_another_letter_is_found_though_its_own_is_refused() -> None:
    made = run(probe_of("version-takes-s"), chosen(all_checks(), ["vread-with-*"]))

    assert [each.check.name for each in made.of(Outcome.FAILED)] == ["vread-with-s"]


def test_every_check_has_a_name_of_its_own_and_says_all_that_a_report_needs() -> None:
    checks = all_checks()

    assert len({check.name for check in checks}) == len(checks)
    for check in checks:
        assert all((check.title, check.headline, check.fix, check.source)), check.name
        assert check.why.count(". ") >= 1 or check.section == "tokens", check.name
        assert check.section in {section.key for section in sections()}
