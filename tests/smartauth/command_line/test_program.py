"""The command `smartauth`: the verbs of both command lines agree, what is wrong ends with a sentence and a status."""

import argparse
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from django.core.management import get_commands, load_command_class

from smartauth.command_line.program import VERBS, program
from tests.running import ROOT

pytestmark = pytest.mark.one_engine

OWN = {"dev", "migrate", "manage", "completion", "probe"}  # no command of manage.py with the same arguments
GENERAL = {
    "--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color",
    "--skip-checks",
}  # fmt: skip


def verbs(
    group: click.Group = program, before: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb by its words, those of groups too."""
    for name, verb in group.commands.items():
        if isinstance(verb, click.Group):
            yield from verbs(verb, (*before, name))
        else:
            yield (*before, name), verb


ALL = dict(verbs())
SHARED = {words: verb for words, verb in ALL.items() if words[0] not in OWN}


def parser_of(words: tuple[str, ...]) -> Any:
    """What manage.py reads the arguments of that verb with."""
    parser: Any = load_command_class(get_commands()[words[0]], words[0]).create_parser("manage.py", words[0])
    for word in words[1:]:
        below = next(each for each in parser._actions if isinstance(each.choices, dict))
        parser = below.choices[word]
    return parser


def named(words: tuple[str, ...]) -> str:
    return " ".join(words)


@pytest.mark.parametrize("words", sorted(SHARED), ids=named)
def test_a_verb_takes_what_the_command_of_manage_py_takes(words: tuple[str, ...]) -> None:
    actions = parser_of(words)._actions
    of_django = {option for each in actions for option in each.option_strings if option.startswith("--")}
    required = {each.dest for each in actions if not each.option_strings and each.dest != argparse.SUPPRESS}
    mine = ALL[words].params

    assert {each.opts[0] for each in mine if isinstance(each, click.Option)} - GENERAL == of_django - GENERAL
    assert {each.name for each in mine if isinstance(each, click.Argument)} == required - {"action"}


@pytest.mark.parametrize("words", sorted(SHARED), ids=named)
def test_a_verb_offers_the_same_choices_and_defaults(words: tuple[str, ...]) -> None:
    known = {action.option_strings[0]: action for action in parser_of(words)._actions if action.option_strings}
    for option in (each for each in ALL[words].params if isinstance(each, click.Option)):
        action = known[option.opts[0]]
        if isinstance(option.type, click.Choice):
            assert set(option.type.choices) == set(action.choices)
        if isinstance(option.default, str | int) and not option.is_flag:
            assert option.default == action.default


def test_help_and_completion_load_no_django() -> None:
    code = "import sys, smartauth.command_line.program; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0


def test_every_command_of_manage_py_is_a_verb_but_the_one_for_demo_records() -> None:
    ours = {name for name, app in get_commands().items() if app in {"oauth", "operators", "smartauth", "fhir", "audit"}}

    assert ours - {"load_fhir"} == {words[0] for words in SHARED} | {"dev"}


def test_every_action_of_a_command_is_a_verb() -> None:
    for name in {words[0] for words in SHARED if len(words) == 2}:
        (below,) = [each for each in parser_of((name,))._actions if isinstance(each.choices, dict)]
        assert set(below.choices) == {words[1] for words in SHARED if words[0] == name}


@pytest.mark.parametrize("words", sorted(ALL), ids=named)
def test_every_verb_explains_itself(words: tuple[str, ...]) -> None:
    if words in {("manage",), ("probe",)}:  # they pass everything on, --help too
        return
    done = CliRunner().invoke(program, [*words, "--help"])

    assert done.exit_code == 0
    assert (ALL[words].help or "").strip().splitlines()[0].split()[0] in done.output


def test_every_verb_that_ends_prints_json_where_it_is_asked() -> None:
    without = {
        words for words, verb in ALL.items() if "--json" not in {name for each in verb.params for name in each.opts}
    }

    passes_on = {("manage",), ("probe",)}  # and --json with the rest
    prints_something_else = {("completion",), ("restored-sql",), ("fhir-audit", "export")}
    assert without == {("dev",), ("serve",), ("worker",)} | prints_something_else | passes_on


def test_migrate_prints_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smartauth.command_line.servers.call", lambda *_: None)

    assert json.loads(CliRunner().invoke(program, ["migrate", "--json"]).output) == {"migrated": ["default", "audit"]}


def test_the_list_of_verbs_names_each_once() -> None:
    listed = [verb.name for group in VERBS.values() for verb in group]

    assert sorted(map(str, listed)) == sorted(program.commands)
    assert all(f"\n  {name} " in CliRunner().invoke(program, ["--help"]).output for name in listed)


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        (["client", "disable", "--", "--x"], ["disable", "--", "--x"]),
        (["token", "--claim", "a=1", "--list", "--claim", "b=2"], ["--list", "--claim=a=1", "--claim=b=2"]),
        (["seed", "a.yaml", "--json"], ["--json", "a.yaml"]),
        (
            ["fhir-server", "add", "URL", "--version", "stu3"],
            [
                "add",
                "--version=stu3",
                "--policy=flag",
                "--claims=smart",
                "URL",
            ],
        ),
    ],
)
def test_arguments_are_passed_on_as_argparse_reads_them(
    given: list[str], passed_on: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr("smartauth.command_line.verbs.call", lambda name, *rest: seen.extend(rest))

    assert CliRunner().invoke(program, given).exit_code == 0
    assert seen == passed_on


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_that_asks_smartauth(shell: str) -> None:
    done = CliRunner().invoke(program, ["completion", shell])

    assert "_SMARTAUTH_COMPLETE" in done.output


def smartauth(*arguments: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command as a process, from a folder that is not ours."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("SMARTAUTH_")}
    known = {"PYTHONPATH": str(ROOT), "SMARTAUTH_DATA_DIR": str(folder / "data"), "SMARTAUTH_PORT": "8999"}
    return subprocess.run(
        [sys.executable, "-m", "smartauth", *arguments], cwd=folder, env={**others, **known, **environment},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_a_kind_of_bad_token_is_completed(tmp_path: Path) -> None:
    done = smartauth(
        folder=tmp_path, _SMARTAUTH_COMPLETE="bash_complete", COMP_WORDS="smartauth token --bad exp", COMP_CWORD="3"
    )

    assert "plain,expired" in done.stdout.splitlines()


def test_a_package_of_somebody_else_under_our_name_is_named(tmp_path: Path) -> None:
    foreign = tmp_path / "accounts/__init__.py"
    foreign.parent.mkdir()
    foreign.touch()

    done = smartauth("token", "--list", folder=tmp_path)

    assert done.returncode == 1
    assert str(foreign) in done.stderr
    assert "pipx" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["client", "list"], 1, "`smartauth migrate` makes them"),
        (["nope"], 2, "No such command"),
        (["client", "add", "x"], 2, "--name"),
        (["serve", "--port", "70000"], 2, "70000"),
        (["seed", "nowhere.yaml"], 1, "nowhere.yaml"),
        (["token"], 1, "--client"),
    ],
)
def test_what_can_be_foreseen_is_a_sentence(
    arguments: list[str], status: int, words: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("empty")
    (folder / "data").mkdir(mode=0o700)
    (folder / "data/smartauth.sqlite3").touch(mode=0o600)

    done = smartauth(*arguments, folder=folder)

    assert done.returncode == status
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["token", "--client", "demo-public"], ["keys", "list"]])
def test_a_folder_without_data_is_a_sentence_and_stays_as_it_was(arguments: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "data"

    done = smartauth(*arguments, folder=tmp_path)

    assert (done.returncode, folder.exists()) == (1, False)
    assert done.stderr.startswith(f"Error: There is no data in {folder}. `smartauth dev` starts ")


@pytest.mark.parametrize(
    ("is_there", "words"),
    [
        (False, "manage.py: There is no data in "),
        (True, "manage.py: The database lacks tables of this version (no such table: oauth_client"),
    ],
)
def test_manage_py_says_the_same(is_there: bool, words: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    if is_there:
        folder.mkdir(mode=0o700)
        (folder / "smartauth.sqlite3").touch(mode=0o600)

    command = [sys.executable, str(ROOT / "manage.py"), "client", "list"]
    environment = {"PATH": os.environ["PATH"], "SMARTAUTH_DATA_DIR": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    assert (done.returncode, folder.exists()) == (1, is_there)
    assert done.stderr.startswith(words)
    assert len(done.stderr.splitlines()) == 1


def test_a_database_that_does_not_answer_is_a_sentence(tmp_path: Path) -> None:
    nobody = "postgresql://nobody@127.0.0.1:1/none"

    done = smartauth("client", "list", folder=tmp_path, SMARTAUTH_DATABASE_URL=nobody)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: The database does not answer (")
    assert "Start it, or correct SMARTAUTH_DATABASE_URL or SMARTAUTH_AUDIT_DATABASE_URL." in done.stderr


@pytest.mark.parametrize("command", [["client", "list"], ["manage", "client", "list"]])
def test_a_file_that_is_no_database_is_told_as_that_and_with_what_to_do(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data/smartauth.sqlite3").write_text("no database " * 99)

    done = smartauth(*command, folder=tmp_path)

    assert done.returncode == 1
    assert done.stderr.endswith("The database is damaged (file is not a database). Restore a backup.\n")


def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = smartauth("serve", "--port", str(port), folder=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: Port {port} of 127.0.0.1 cannot be used")
