"""Commands in another shell are about the development server that runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from smartauth import running_server as module
from smartauth.running_server import AlreadyRuns, RunningServer, announce, follow_running_server, running_server
from tests.running import ROOT

HERE = RunningServer(8123, "http://localhost:8123")
HOLD = """
import sys
from pathlib import Path
from smartauth.running_server import RunningServer, announce
with announce(Path(sys.argv[1]), RunningServer(8123, "http://localhost:8123")):
    print("runs", flush=True)
    sys.stdin.read()
"""


def followed(folder: Path, **environment: str) -> dict[str, str]:
    """What a command started with this environment takes for its settings."""
    chosen = {"SMARTAUTH_DATA_DIR": str(folder), **environment}
    follow_running_server(chosen)
    return chosen


def test_a_command_takes_port_and_issuer_of_the_server_on_its_data_folder(tmp_path: Path) -> None:
    with announce(tmp_path, HERE):
        found = followed(tmp_path)

    assert (found["SMARTAUTH_PORT"], found["SMARTAUTH_ISSUER"]) == ("8123", "http://localhost:8123")


def test_once_it_has_ended_nothing_is_taken(tmp_path: Path) -> None:
    with announce(tmp_path, HERE):
        pass

    assert (tmp_path / module.FILE).exists()
    assert running_server(tmp_path) is None
    assert followed(tmp_path) == {"SMARTAUTH_DATA_DIR": str(tmp_path)}


def test_a_server_that_was_killed_runs_no_more(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert running.stdout is not None
    running.stdout.readline()
    before = running_server(tmp_path)

    running.kill()
    running.communicate()

    assert (before, running_server(tmp_path)) == (HERE, None)


def test_a_data_folder_has_one_server(tmp_path: Path) -> None:
    with (
        announce(tmp_path, HERE),
        pytest.raises(AlreadyRuns, match="http://localhost:8123"),
        announce(tmp_path, RunningServer(9000, "http://127.0.0.1:9000")),
    ):
        pass

    with announce(tmp_path, RunningServer(9000, "http://127.0.0.1:9000")):
        assert running_server(tmp_path) == RunningServer(9000, "http://127.0.0.1:9000")


@pytest.mark.parametrize(
    "chosen",
    [{"SMARTAUTH_PORT": "9000"}, {"SMARTAUTH_ISSUER": "https://auth.example.org"}],
    ids=["a port", "an issuer"],
)
def test_what_the_shell_chooses_stands(tmp_path: Path, chosen: dict[str, str]) -> None:
    with announce(tmp_path, HERE):
        assert followed(tmp_path, **chosen) == {"SMARTAUTH_DATA_DIR": str(tmp_path), **chosen}


def test_without_a_choice_the_usual_port_comes_first_then_another_one_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "VAR", tmp_path)
    usual, other = RunningServer(8000, "http://127.0.0.1:8000"), RunningServer(8001, "http://127.0.0.1:8001")
    (tmp_path / "8001").mkdir()

    with announce(tmp_path / "8001", other):
        alone: dict[str, str] = {}
        follow_running_server(alone)
        with announce(tmp_path, usual):
            both: dict[str, str] = {"SMARTAUTH_DATA_DIR": "", "SMARTAUTH_PORT": ""}
            follow_running_server(both)

    assert (alone["SMARTAUTH_PORT"], alone["SMARTAUTH_DATA_DIR"]) == ("8001", str(tmp_path / "8001"))
    assert (both["SMARTAUTH_PORT"], both["SMARTAUTH_DATA_DIR"]) == ("8000", str(tmp_path))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": "x", "issuer": 1}', "{}"])
def test_a_file_that_says_nothing_is_no_server(tmp_path: Path, text: str) -> None:
    with announce(tmp_path, HERE):
        (tmp_path / module.FILE).write_text(text)
        found = running_server(tmp_path)

    assert found is None


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    with announce(tmp_path, HERE):
        assert json.loads((tmp_path / module.FILE).read_text()) == {"port": 8123, "issuer": "http://localhost:8123"}
        assert (tmp_path / module.FILE).stat().st_mode & 0o077 == 0
