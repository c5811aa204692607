"""In CI a skipped test is a failure unless it is listed here: what was not run proves nothing."""

import os
from typing import Any

import pytest

from tests import network

# The whole name as pytest prints it, and why it may be skipped in CI.
ALLOWED: dict[str, str] = {
    "tests/smartauth/test_distributions.py::test_with_a_newer_python_it_issues_reads_and_refuses": (
        "Debian 12 has Python 3.11 alone"
    ),
    (
        "tests/images/test_docker_engine.py"
        "::test_of_the_control_groups_that_systemd_left_those_go_in_which_nothing_runs"
    ): "in a container groups of version 2 may be mounted for reading alone, or not at all",
}
# Root builds images, runs them and joins machines by a network. A developer may not be root, and in a container root
# may not do so either.
AS_ROOT_ALONE = (
    "tests/images/",
    "tests/test_network.py",
    "tests/drills/test_drills.py::test_a_primary_that_was_cut_off_loses_nothing_and_acknowledges_nothing_when_it_is_back",
)

_unlisted: list[str] = []


def _note(report: pytest.TestReport | pytest.CollectReport) -> None:
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if skipped and not _is_allowed(report.nodeid) and report.nodeid not in _unlisted:
        _unlisted.append(report.nodeid)


def _is_allowed(name: str) -> bool:
    return name in ALLOWED or (name.startswith(AS_ROOT_ALONE) and not network.is_possible())


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    _note(report)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    worker: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if worker is not None:
        worker["unlisted_skips"] = _unlisted
    elif _unlisted and os.environ.get("CI"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker keeps to itself which files it skipped as a whole."""
    told: list[str] = getattr(node, "workeroutput", {}).get("unlisted_skips", [])
    _unlisted.extend(name for name in told if name not in _unlisted)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not (_unlisted and os.environ.get("CI")):
        return
    terminalreporter.section("skipped, and not listed in tests/skips.py", red=True)
    for name in _unlisted:
        terminalreporter.line(name)
