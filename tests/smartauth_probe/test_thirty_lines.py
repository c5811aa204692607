"""A small server with three holes: each is found by the check that names it, and mended there is nothing to find."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Outcome
from smartauth_probe.report.evidence import Evidence
from smartauth_probe.report.report import Report
from smartauth_probe.report.terminal import summary
from smartauth_probe.runner import chosen, run
from smartauth_probe.target.client import Client
from smartauth_probe.target.discovery import prepare
from tests.running import ROOT, free_port
from tests.smartauth_probe.introspected import ClaimsTokens, introspection
from tests.strangers import python

pytestmark = pytest.mark.one_engine
HOLES = {"letters": "read-with-c", "patient": "search-other-by-id", "existence": "other-observation"}
serve = python(ROOT / "tests/smartauth_probe/thirty_lines.py")


@contextmanager
def serving(holes: str, folder: Path) -> Iterator[str]:
    """The base of one with these holes."""
    base = f"http://127.0.0.1:{free_port()}/fhir"
    with introspection() as endpoint:
        told = {"FHIR_BASE": base, "INTROSPECT": endpoint, "CLIENT_ID": "it", "CLIENT_SECRET": "secret"}
        (process,) = serve({**told, "HOLES": holes}, folder)
        try:
            yield base
        finally:
            process.stop()


def report_of(base: str, *sections: str) -> Report:
    """Of all but the catalogue, of which such tokens have no signature."""
    probe = prepare(Client(base), ClaimsTokens(base), ["amy", "ben"])
    made = run(probe, chosen(all_checks(), sections, ["tokens"]))
    return Report.about(probe, made, Evidence(probe.private))


def test_each_of_three_holes_is_found_and_stands_among_what_to_fix_first(tmp_path: Path) -> None:
    with serving(" ".join(HOLES), tmp_path) as base:
        report = report_of(base, "letters", "compartment")

    first = summary(report).partition("What to fix first:")[2]
    assert set(HOLES.values()) <= {each.check.name for each in report.failed}
    assert " read-with-" in first
    assert " search-other-" in first


def test_mended_there_is_nothing_to_find(tmp_path: Path) -> None:
    with serving("", tmp_path) as base:
        report = report_of(base)

    assert [(each.check.name, each.result) for each in report.run.of(Outcome.FAILED)] == []
    assert len(report.run.of(Outcome.PASSED)) > 100
