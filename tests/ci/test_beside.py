"""What CI runs beside its steps ends with the run, waits for nobody, and is heard also where it hangs."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.processes import is_running
from tests.running import ROOT

pytestmark = pytest.mark.one_engine


def run(work: Path, script: str, typed: str = "") -> str:
    """What it prints, where `begin` and the others are known."""
    beginning = f"set -euo pipefail; work={work}; . {ROOT / '.ci/beside'}; patience=2\n"
    done = subprocess.run(
        ["bash", "-c", beginning + script], input=typed, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_how_it_ended_and_what_it_said_are_shown_when_a_step_asks(tmp_path: Path) -> None:
    printed = run(tmp_path, 'begin one bash -c "echo said; exit 7"; bash -c "$ended" "$work/one" || echo "ended by $?"')

    assert printed == "said\nended by 7\n"


def test_one_that_asks_finds_the_end_of_its_input(tmp_path: Path) -> None:
    printed = run(tmp_path, 'begin asking cat; bash -c "$ended" "$work/asking"', typed="typed for somebody else\n")

    assert printed == ""


def test_at_the_end_of_the_run_it_has_time_to_end_what_it_started(tmp_path: Path) -> None:
    tidy = f"trap 'sleep 0.5; touch {tmp_path}/tidied; exit' TERM; touch {tmp_path}/ready; while :; do sleep 0.1; done"
    script = f'begin tidy bash -c "{tidy}"; until [ -e {tmp_path}/ready ]; do sleep 0.1; done'

    run(tmp_path, f"{script}; end_what_was_begun; [ -e {tmp_path}/tidied ]")


def test_one_that_does_not_want_to_end_is_ended(tmp_path: Path) -> None:
    stubborn = f"trap '' TERM; echo \\$\\$ >{tmp_path}/number; while :; do sleep 0.1; done"
    script = f'begin stubborn bash -c "{stubborn}"; until [ -s {tmp_path}/number ]; do sleep 0.1; done'

    run(tmp_path, f"{script}; end_what_was_begun")

    number = int((tmp_path / "number").read_text())
    try:
        assert not is_running(number)
    finally:
        if is_running(number):
            os.killpg(os.getpgid(number), signal.SIGKILL)


def test_of_those_that_have_not_ended_the_last_lines_are_shown(tmp_path: Path) -> None:
    script = """
    begin quick echo done
    begin hanging bash -c 'seq 100; echo waits for the network; sleep 600'
    until [ -s "$work/quick.status" ] && grep -q network "$work/hanging.log"; do sleep 0.1; done
    show_unfinished
    end_what_was_begun
    """

    printed = run(tmp_path, script).splitlines()

    assert printed[1] == "=== hanging has not ended; it said at last"
    assert printed[-1] == "waits for the network"
    assert len(printed) == 52
