"""A run of the probe beside the server's requests: counted, reported, stopped, and what it saw kept in mind."""

from collections.abc import Iterator

import pytest

from oauth.workbench.memory import probe_runs
from oauth.workbench.memory.probe_runs import ProbeRun, begin_run, last_run_of, probe_run
from oauth.workbench.memory.recent import Recent
from oauth.workbench.memory.results import GOOD, results_of
from oauth.workbench.probing.background import FAILED, STOPPED, probe_server
from smartauth_probe.checks import all_checks
from smartauth_probe.runner import chosen
from smartauth_probe.tokens.source import Wanted
from tests.smartauth_probe.small_http import listening
from tests.smartauth_probe.small_server import OpenTokens, SmallServer

pytestmark = pytest.mark.one_engine
CHECKS = chosen(all_checks(), ["no-token", "in-query", "other-patient"])


@pytest.fixture(autouse=True)
def nothing_was_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_runs, "_runs", Recent[int, ProbeRun](2))


@pytest.fixture
def small() -> SmallServer:
    return SmallServer()


@pytest.fixture
def base(small: SmallServer) -> Iterator[str]:
    with listening(small) as found:
        yield found


def begun(base: str) -> ProbeRun:
    return begin_run(base, "Mine", total=len(CHECKS), now=1)[0]


def test_a_run_counts_its_checks_and_ends_with_its_report(base: str) -> None:
    run = begun(base)

    probe_server(run, OpenTokens(), CHECKS)

    assert (run.made, run.total, run.failed, run.is_running) == (3, 3, 0, False)
    assert run.title.startswith("No check failed: ")
    assert run.report.startswith("<!doctype html>")
    assert f"<code>{base}</code>" in run.report


def test_what_it_saw_ticks_the_checklist_as_what_was_sent_by_hand(base: str, small: SmallServer) -> None:
    probe_server(begun(base), OpenTokens(), CHECKS)
    right = results_of(base)
    small.faults = frozenset(["open"])
    run = begun(base)
    probe_server(run, OpenTokens(), CHECKS)
    wrong = results_of(base)

    assert (right[GOOD].status, right[GOOD].is_right) == (200, True)
    assert (right["no-token"].status, right["no-token"].is_right) == (401, True)
    assert (wrong["no-token"].status, wrong["no-token"].is_wrong) == (200, True)
    assert "other-patient" not in right  # a check, and no kind of token
    assert run.failed >= 1


def test_a_run_that_somebody_stops_has_a_report_of_what_was_made(base: str) -> None:
    run = begun(base)
    run.is_to_stop = True

    probe_server(run, OpenTokens(), CHECKS)

    assert run.title == "Stopped after 1 of 3 checks: none failed so far"
    assert STOPPED in run.report


def test_a_server_that_is_not_there_is_said_and_no_report(base: str) -> None:
    run = begun("http://127.0.0.1:9/fhir")

    probe_server(run, OpenTokens(), CHECKS)

    assert run.title.startswith("The probe could not run: ")
    assert (run.report, results_of(run.base)) == ("", {})


def test_a_run_that_breaks_ends_too(base: str) -> None:
    class Broken(OpenTokens):
        def token(self, wanted: Wanted) -> str:
            raise ZeroDivisionError

    run = begun(base)
    with pytest.raises(ZeroDivisionError):
        probe_server(run, Broken(), CHECKS)

    assert (run.title, run.is_running) == (FAILED, False)


def test_one_run_at_a_time_and_the_newest_are_remembered() -> None:
    first, is_new = begin_run("one", "One", total=3, now=1)
    again, is_another = begin_run("two", "Two", total=3, now=2)
    assert (again is first, is_new, is_another) == (True, True, False)

    first.title = "done"
    second = begun("one")
    second.title = "done"
    third = begun("one")

    assert [each.number for each in (first, second, third)] == [1, 2, 3]
    assert [probe_run(number) for number in (1, 2, 3)] == [None, second, third]
    assert (last_run_of("one"), last_run_of("two")) == (third, None)
