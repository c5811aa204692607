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

import pytest

from tests.docs.pages import blocks, commands, named, pages
from tests.running import ROOT, Server, free_port

pytestmark = pytest.mark.one_engine

LANGUAGES = {"sh", "text", "json", "yaml", "python", "js", "java", "csharp", "nginx", "http", "mermaid"}
LOOKS_LIKE_A_COMMAND = re.compile(r"^\s*(curl |\$ |\.venv/bin/python |python3? |TOKEN=)", re.M)
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


@pytest.mark.parametrize("page", pages(), ids=named)
def test_a_command_stands_in_a_block_that_is_run(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES
        is_run = block.language in ("sh", "yaml")  # tests/flows/test_probe.py runs the steps of those in YAML
        assert is_run or not LOOKS_LIKE_A_COMMAND.search(block.text), block.text
