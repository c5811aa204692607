"""The steps of CI, one after the other: what they say and how they ended; nothing stays of one that is stopped."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import is_running
from tests.redis_server import Redis
from tests.running import ROOT

pytestmark = pytest.mark.one_engine
LEAVES = """
setsid bash -c 'echo $$ >{place}/left; exec sleep 600' >/dev/null 2>&1 & until [ -s {place}/left ]; do sleep 0.1; done
"""


def script(work: Path, steps: str) -> str:
    """A run of its own, with an end as that of .ci/run."""
    return f"""
    set -euo pipefail
    work={work} bound=600
    export CI_RUN=$work
    . {ROOT}/.ci/beside
    . {ROOT}/.ci/steps
    patience=2
    trap 'interrupt_step; end_what_was_begun; end_what_is_left' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    {steps}
    """


def run(work: Path, steps: str) -> str:
    """What it prints."""
    done = subprocess.run(["bash", "-c", script(work, steps)], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.fixture
def left(tmp_path: Path) -> Iterator[Path]:
    """Where the number is written of a process that is in a session of its own."""
    file = tmp_path / "left"
    yield file
    if file.exists() and is_running(int(file.read_text())):
        os.kill(int(file.read_text()), signal.SIGKILL)


def test_each_says_what_it_did_and_the_first_failure_stops_none_of_the_others(tmp_path: Path) -> None:
    printed = run(
        tmp_path,
        'step one bash -c "echo said; exit 7"; step two true; echo "${failed[@]}"; printf "%s\\n" "${table[@]}"',
    )

    lines = [" ".join(line.split()) for line in printed.splitlines() if line]
    assert lines[:3] == ["=== one", "said", "--- one: FAILED"]
    assert lines[-3:] == ["one", "FAILED 0 s one", "ok 0 s two"]


def test_one_that_takes_longer_than_the_run_may_is_interrupted_and_no_other_begins(tmp_path: Path) -> None:
    printed = run(tmp_path, "bound=$((SECONDS + 1)); step long sleep 600; step later true")

    assert "--- long: STOPPED" in printed
    assert "--- later: NOT RUN" in printed


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["TERM", "INT"])
def test_a_run_that_is_stopped_has_its_step_end_and_what_that_left_in_other_sessions(
    tmp_path: Path, left: Path, sent: signal.Signals, status: int
) -> None:
    """To it alone: bash hears of no signal before what runs in its foreground has ended."""
    tidy = f"trap 'touch {tmp_path}/tidied; exit' INT\n{LEAVES.format(place=tmp_path)}\ntouch {tmp_path}/ready; wait"
    (tmp_path / "step").write_text(tidy, encoding="utf-8")
    running = subprocess.Popen(
        ["bash", "-c", script(tmp_path, f"step one bash {tmp_path}/step")], start_new_session=True
    )
    try:
        while not (tmp_path / "ready").exists():
            assert running.poll() is None
            time.sleep(0.1)
        running.send_signal(sent)

        assert running.wait(30) == status
        assert (tmp_path / "tidied").exists()
        assert not is_running(int(left.read_text()))
    finally:
        running.kill()


@pytest.mark.parametrize("is_its_own", [True, False], ids=["its own", "another's"])
def test_at_its_end_a_run_ends_what_inherited_its_mark_and_nothing_else(
    tmp_path: Path, left: Path, is_its_own: bool
) -> None:
    mark = "" if is_its_own else "export CI_RUN=$CI_RUN-of-another; "
    (tmp_path / "step").write_text(mark + LEAVES.format(place=tmp_path), encoding="utf-8")

    run(tmp_path, f"step one bash {tmp_path}/step")

    assert is_running(int(left.read_text())) is not is_its_own


def test_what_does_not_want_to_end_is_ended(tmp_path: Path, left: Path) -> None:
    (tmp_path / "step").write_text(f"trap '' TERM\n{LEAVES.format(place=tmp_path)}", encoding="utf-8")

    run(tmp_path, f"step one bash {tmp_path}/step")

    assert not is_running(int(left.read_text()))


def test_a_redis_of_a_test_has_the_mark_to_be_found_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its title would lie over it. A test that is stopped ends none of what it started."""
    monkeypatch.setenv("CI_RUN", "that of this test")
    redis = Redis()
    try:
        environment = Path(f"/proc/{redis.start().pid}/environ").read_bytes().split(b"\0")
        assert b"CI_RUN=that of this test" in environment
    finally:
        redis.remove()


def test_one_that_asks_finds_the_end_of_its_input(tmp_path: Path) -> None:
    printed = run(tmp_path, "step asks bash -c 'read -r line || echo nobody: \"$line\"' <<<typed")

    assert "nobody: \n--- asks: ok" in printed


def test_one_that_does_not_want_to_be_interrupted_is_killed(tmp_path: Path) -> None:
    (tmp_path / "step").write_text(
        "trap '' INT\nfor i in $(seq 100); do sleep 0.1; done; echo to the end", encoding="utf-8"
    )

    printed = run(tmp_path, f"tidying=1 bound=$((SECONDS + 1)); step long bash {tmp_path}/step")

    assert "--- long: STOPPED" in printed
    assert "to the end" not in printed


def test_what_looks_for_the_mark_has_none(tmp_path: Path) -> None:
    assert run(tmp_path, 'echo "found: $(of_this_run)"') == "found: \n"
