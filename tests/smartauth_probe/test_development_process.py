"""A command that is to start a server, and what is said where it does not. The real one is in test_pytest_plugin.py."""

import shlex
import sys
from pathlib import Path

import pytest

from smartauth_probe.development_process import DidNotStart, start
from tests.processes import is_running
from tests.waiting import wait_until

pytestmark = pytest.mark.one_engine


def python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def why(command: str, seconds: float = 30) -> str:
    with pytest.raises(DidNotStart) as reason, start(command, seconds=seconds):
        pytest.fail("it started")
    return str(reason.value)


def test_a_command_that_is_not_there_is_named() -> None:
    assert "no-such-command dev cannot be started: [Errno 2]" in why("no-such-command dev")


def test_a_command_that_ends_is_quoted() -> None:
    said = why(python("print('the port is taken'); raise SystemExit(3)"))

    assert "ended with 3. It said:\nthe port is taken" in said


def test_a_command_that_never_answers_is_given_up_and_ended_with_what_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    code = f"import subprocess, sys; print('preparing', flush=True); subprocess.run([sys.executable, '-c', {child!r}])"

    said = why(python(code), seconds=2)

    assert "does not answer after 2 seconds. It said:\npreparing" in said
    assert wait_until(lambda: not is_running(int(note.read_text())))


def test_a_program_is_found_from_where_the_tests_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "starts.py").write_text("print('found')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert "ended with 0. It said:\nfound" in why(f"{shlex.quote(sys.executable)} starts.py")


def test_it_has_a_folder_and_a_port_of_its_own_and_nothing_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "somebodys.settings")
    monkeypatch.setenv("SMARTAUTH_DATABASE_URL", "postgresql://production")
    monkeypatch.setenv("SMARTAUTH_DATA_DIR", "/srv/production")
    monkeypatch.setenv("SMARTAUTH_REFUSALS_LIMIT", "7")

    said = why(python("import os; print('FOLDER', os.getcwd()); [print(*each) for each in os.environ.items()]"))

    found = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    assert found["SMARTAUTH_ISSUER"] == f"http://127.0.0.1:{found['SMARTAUTH_PORT']}"
    assert found["SMARTAUTH_REFUSALS_LIMIT"] == "7"
    assert not {"DJANGO_SETTINGS_MODULE", "SMARTAUTH_DATABASE_URL"} & set(found)
    assert found["SMARTAUTH_DATA_DIR"] == f"{found['FOLDER']}/data"
    assert not Path(found["SMARTAUTH_DATA_DIR"]).parent.exists()
