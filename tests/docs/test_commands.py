"""Every command in the docs is run, page by page, in one shell, against a real server.

A line `# 401: ...` above a command says what the command prints last. Addresses, folders and the Python of the docs are
replaced by those of this run, nothing else.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import pytest

from tests.docs.pages import blocks, commands, named, pages
from tests.running import ROOT, Server, free_port

pytestmark = pytest.mark.one_engine

LANGUAGES = {"sh", "text", "json", "yaml", "python", "js", "java", "csharp", "nginx", "http", "mermaid"}
CODE = LANGUAGES - {"sh", "text"}  # tests/flows/test_probe.py runs the steps of those in YAML
# where a block is run that a development server is not enough for, and by which tests
PLACES = {
    "in docker": "tests/images/test_operating_pages.py",
    "on a machine": "tests/images/test_operating_pages.py",
    "in a checkout": "tests/images/test_operating_pages.py",
    "in a cluster": "tests/deploy/test_kubernetes.py",
}
PROGRAMS = (
    "bash|bench/run|buildah|cat|chmod|chown|cp|curl|docker|docker-compose|docker/[a-z-]+[.]sh|dotnet|echo|envsubst|export|"
    "git|gunicorn|helm|install|java|kubectl|kustomize|ln|make|mkdir|mv|mvn|nginx|node|npm|npx|openssl|pg_[a-z]+|pip|pipx|"
    "podman|printf|psql|pytest|python3?|redis-cli|rm|rsync|runuser|scp|sed|set|sh|smartauth|smartauth-probe|source|ssh|"
    "sudo|systemctl|tar|useradd|uv|uvicorn|apt-get|/[a-z/]+/bin/[a-z]+|[.]venv/bin/[a-z]+"
)
COMMAND = re.compile(rf"^ *(?:[$(] ?)?(?:[A-Z_]+=\S* +)*(?:(?:{PROGRAMS})(?: |$)|TOKEN=)", re.M)
OF_A_RECIPE = "tests/strangers.py starts the same file with what the lock holds, and asks no index"
# Blocks with commands that nothing runs, by page: how the block begins, and why.
NOT_RUN = {
    "README.md": {
        "make run ": "`make test` is what runs this; tests/images/test_operating_pages.py runs `make run`",
    },
    "docs/benchmarks.md": {"bench/run ": "it measures, for minutes or hours; tests/bench runs its parts"},
    "docs/fhir-server.md": {
        "SMARTAUTH_AUDIT_DATABASE_URL": "it names your database; tests/audit/test_roles.py has one",
    },
    "docs/how-to/high-availability.md": {
        ".venv/bin/python -m tests.drills": "half an hour each; tests/drills runs each with fewer changes",
    },
    "docs/how-to/test-your-server.md": {
        "pytest\n": "tests/docs/test_your_tests.py runs it in the project of the page",
        "pytest --smartauth-command": "Docker on the network of your tests",
    },
    "docs/mutation-tests.md": {"make mutants": "hours"},
    "docs/probe-mutation-tests.md": {".venv/bin/python -m tests.probe_mutants": "hours"},
    "docs/probe.md": {"smartauth-probe ": "it names your server; tests/smartauth_probe has its own"},
    "docs/recipes/aspnet.md": {"dotnet run": ".NET is in no registry that CI reaches"},
    "docs/recipes/django-rest-framework.md": {"python3 -m venv": OF_A_RECIPE},
    "docs/recipes/express.md": {"npm ci": OF_A_RECIPE},
    "docs/recipes/fastapi.md": {"python3 -m venv": OF_A_RECIPE},
    "docs/recipes/flask.md": {"python3 -m venv": OF_A_RECIPE},
    "docs/recipes/gateways.md": {
        "export SMARTAUTH": "tests/flows/test_envoy_recipe.py starts Envoy with the same file",
    },
    "docs/recipes/hapi.md": {"mvn ": OF_A_RECIPE},
    "docs/recipes/nginx.md": {"FHIR_BASE=": OF_A_RECIPE},
    "docs/recipes/node-fhir-server-core.md": {"npm ci": OF_A_RECIPE},
    "docs/recipes/spring.md": {"mvn ": OF_A_RECIPE},
}
IN_CODE = re.compile(r"^\s*(curl |\$ |\.venv/bin/python |TOKEN=)", re.M)
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
INDENTED = re.compile(r"^\n((?:    .*\n|\n(?=    ))+)", re.M)
EXPECTED = re.compile(r"^# (?P<last>[0-9]{3}|true|false)\b")
RUNNABLE = [page for page in pages() if commands(page)]


def here(text: str, server: Server) -> str:
    """The commands with what is different in this run."""
    text = text.replace("http://127.0.0.1:8000", server.url).replace(".venv/bin/python", sys.executable)
    text = text.replace("127.0.0.1:9000", f"127.0.0.1:{free_port()}")
    return re.sub(r"(?<![\w/.])var/", f"{server.folder}/", text)


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Each paragraph of commands, and what it prints last, or ""."""
    for paragraph in re.split(r"\n{2,}", text.strip()):
        found = EXPECTED.match(paragraph)
        yield paragraph, found["last"] if found else ""


def in_one_shell(text: str, server: Server) -> list[tuple[str, str, str]]:
    """Each step, what was expected as its last line, and what it was. Stops where a command fails."""
    wanted = list(steps(here(text, server)))
    script = "".join(f"{step}\necho\necho '--- end'\n" for step, _ in wanted)
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as problems:
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail"], stdin=subprocess.PIPE, stdout=out, stderr=problems, cwd=ROOT,
            env={**os.environ, **server.environment}, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            shell.communicate(script, timeout=180)
        except subprocess.TimeoutExpired:
            problems.write("it took too long")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
        out.seek(0)
        problems.seek(0)
        printed = [part.strip().splitlines()[-1:] for part in out.read().split("--- end")[:-1]]
        assert len(printed) == len(wanted), f"{wanted[len(printed)][0]}\nfailed:\n{problems.read()}"
    return [(step, last, "".join(line)) for (step, last), line in zip(wanted, printed, strict=True)]


@pytest.mark.parametrize("page", RUNNABLE, ids=named)
def test_every_command_of_a_page_works_and_prints_what_is_said(page: Path, server: Server) -> None:
    done = in_one_shell(commands(page), server)

    assert [(step, wanted) for step, wanted, printed in done if wanted and printed != wanted] == []
    assert [step for step, wanted, _ in done if "http_code" in step and not wanted] == []


def test_the_tutorial_follows_a_server_on_another_port() -> None:
    assert "8000" not in commands(ROOT / "docs/tutorial.md")


def plain(block: str) -> set[str]:
    """Its lines without what is said about them."""
    return {line.partition(" #")[0].strip() for line in block.strip().splitlines()}


RUN = {line for page in pages() for block in blocks(page) if block.language == "sh" for line in plain(block.text)}


# What is run by nothing -----------------------------------------------------------------------------------------------


def unmarked(page: Path) -> Iterator[str]:
    """What nothing runs that has commands in it: blocks in other fences and indented ones, those of README apart."""
    text = page.read_text(encoding="utf-8")
    fenced = [block.text for block in blocks(page) if block.language not in {"sh", *CODE}]
    indented = [dedent(found) for found in INDENTED.findall(FENCED.sub("", text))]
    for block in (*fenced, *indented):
        if COMMAND.search(block) and block.strip() not in commands(page):
            yield block.lstrip("\n")


@pytest.mark.parametrize("page", pages(), ids=named)
def test_a_block_with_commands_is_run_or_says_why_not(page: Path) -> None:
    for block in unmarked(page):
        assert block.startswith(tuple(NOT_RUN.get(named(page), ()))) or plain(block) <= RUN, f"run by no test:\n{block}"


@pytest.mark.parametrize("page", NOT_RUN)
def test_a_reason_is_about_a_block_that_is_there(page: str) -> None:
    found = list(unmarked(ROOT / page))

    assert all(any(block.startswith(beginning) for block in found) for beginning in NOT_RUN[page])


@pytest.mark.parametrize("page", pages(), ids=named)
def test_a_block_is_of_a_known_language_and_run_in_a_known_place(page: Path) -> None:
    assert not re.search("^ +```", page.read_text(encoding="utf-8"), re.M), "a fence that is indented is not found"
    for block in blocks(page):
        assert block.language in LANGUAGES
        assert not block.place or block.language == "sh"
        if block.place:
            tests = (ROOT / PLACES[block.place]).read_text(encoding="utf-8")
            assert str(page.relative_to(ROOT / "docs")) in tests, f"{PLACES[block.place]} must run it:\n{block.text}"
        assert block.language not in CODE or not IN_CODE.search(block.text), block.text
