"""In CI a skipped test is a failure unless it is listed here: what was not run proves nothing."""

import os

import pytest

# The whole name as pytest prints it, and why it may be skipped in CI.
ALLOWED: dict[str, str] = {}

_unlisted: list[str] = []


def _note(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and report.nodeid not in ALLOWED:
        _unlisted.append(report.nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    _note(report)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _unlisted and os.environ.get("CI"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not (_unlisted and os.environ.get("CI")):
        return
    terminalreporter.section("skipped, and not listed in tests/skips.py", red=True)
    for name in _unlisted:
        terminalreporter.line(name)
