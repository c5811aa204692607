"""No false finding: the bundled FHIR server passes every check that can be made of it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
import yaml

from tests.oauth.visitor import hidden_fields
from tests.running import ROOT, Server, free_port

pytestmark = pytest.mark.one_engine
PATIENCE = 120  # seconds


# What a process had at most since it began its program. getrusage counts what it was forked from too (proc(5), VmHWM).
PROGRAM_WITH_PEAK = """
import re, sys
from pathlib import Path
from smartauth_probe.command import main
status = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
sys.exit(status)
"""
# what was skipped here before the checks of writing met a server that finds nothing by an identifier
MADE = {"chain-from-own-record", "conditional-delete-of-both", "create-if-none-exist", "record-that-moved"}
MOST_KILOBYTES = 60 * 1024
MOST_REQUESTS = 3_000  # it sends 2,200; on a busy machine of two cores that takes a minute (docs/probe.md)


@pytest.mark.requirement("TV-32", "SD-30")
def test_the_bundled_server_fails_nowhere_and_most_checks_are_made(lenient: Server, tmp_path: Path) -> None:
    """All checks, with those that write, in a process of its own that stays small."""
    file = tmp_path / "report.json"
    options = ["--writes", f"--authority={lenient.url}", "--skip=timing", "--seconds=60", f"--json={file}", "--quiet"]

    command = [sys.executable, "-c", PROGRAM_WITH_PEAK, f"{lenient.url}/fhir/r4", *options]
    made = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT)

    report = json.loads(file.read_text(encoding="utf-8"))
    failed = [
        (each["name"], each["seen"], each["received"]) for each in report["checks"] if each["outcome"] == "failed"
    ]
    assert (failed, made.returncode, made.stderr) == ([], 0, "")
    assert (report["writes"], report["remains"]) == (True, [])
    assert report["counts"]["passed"] >= 380
    assert {each["name"] for each in report["checks"] if each["outcome"] == "passed"} >= MADE
    assert report["requests"] < MOST_REQUESTS
    assert int(made.stdout.split()[-1]) < MOST_KILOBYTES
    assert report["patients"] == ["amy", "ben"]
    chip = re.search(r'href="(/\?server=\d+)#checklist">Harbour Clinic', httpx.get(lenient.url).text)
    assert chip is not None
    home = httpx.get(f"{lenient.url}{chip[1]}").text
    assert f"from a shell: {report['title']}." in home
    assert "It hides other records" in home
    assert "It answered 404, as to no record." in home


def test_the_button_of_the_home_page_probes_the_bundled_server_and_opens_the_report(lenient: Server) -> None:
    with httpx.Client(base_url=lenient.url, timeout=60) as browser:
        known = hidden_fields(browser.get("/login"))
        begun = browser.post("/dev/probe", data={**known, "server": f"{lenient.url}/fhir/r4"})
        place = begun.headers["Location"]
        browser.post(f"{place}/stop", data=known)

        deadline = time.monotonic() + PATIENCE
        while "The probe runs" in (page := browser.get(place)).text and time.monotonic() < deadline:
            time.sleep(0.2)

        assert (begun.status_code, place) == (303, "/dev/probe/1")
        assert "<h1>Stopped after " in page.text
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        chip = re.search(r'href="(/\?server=\d+)#checklist">Harbour Clinic', browser.get("/").text)
        assert chip is not None
        home = browser.get(chip[1]).text
        assert f'<a href="{place}">Stopped after ' in home
        assert "It answered 200." in home  # the good token, on the checklist


# The examples for CI --------------------------------------------------------------------------------------------------

EXAMPLE = re.compile(r"^<!-- (?P<name>\.git[\w./-]+) -->\n```yaml\n(?P<text>.*?)^```$", re.M | re.S)
Repository = tuple[Path, str, dict[str, str]]
SECRET = "only-for-tests-0123456789abcdefghij"
INSTALLED = "Install"  # the step that a test of the wheels makes: tests/smartauth/test_distributions.py
# smartauth runs already, and of the checks a few are enough here
PROGRAM = """#!/bin/sh
case $1 in
    dev) exit 0 ;;
    probe) set -- "$@" --authority={issuer} --only=no-token --only=expired --only=other-patient --seconds=60 ;;
esac
export PYTHONPATH={root}
exec {python} -m smartauth "$@"
"""
START = """#!/bin/sh
export FHIR_BASE={base} INTROSPECT={issuer}/o/introspect CLIENT_ID=my-server CLIENT_SECRET={secret}
export PYTHONPATH={root}/clients/python:{root}/docs/recipes/python
exec {python} {root}/docs/recipes/python/flask_server.py
"""
WHO_IS_WHO = """
fhir_servers:
  - {{base: "{base}", name: My FHIR server, patients: [{{id: amy}}, {{id: ben}}]}}
people:
  - username: amy
    identities: [{{fhir_server: "{base}", fhir_user: Patient/amy, acts_for: [amy]}}]
clients:
  - client_id: my-app
    name: My app
    authentication: none
    scope: patient/*.rs
    fhir_servers: ["{base}"]
    redirect_uris: ["http://127.0.0.1:4999/cb"]
  - client_id: my-server
    name: My FHIR server
    authentication: secret
    secret: {secret}
    grants: []
    protects: [{{fhir_server: "{base}"}}]
"""


def example(name: str) -> str:
    page = (ROOT / "docs/probe.md").read_text(encoding="utf-8")
    return {found["name"]: found["text"] for found in EXAMPLE.finditer(page)}[name]


@pytest.fixture
def repository(lenient: Server, tmp_path: Path) -> Repository:
    """The folder of a project as the page says, its FHIR base, and the environment of the job."""
    base = f"http://127.0.0.1:{free_port()}/fhir"
    words = {"root": ROOT, "python": sys.executable, "base": base, "issuer": lenient.url, "secret": SECRET}
    (tmp_path / "bin").mkdir()
    for file, text in {"bin/smartauth": PROGRAM, "start.sh": START, "who-is-who.yaml": WHO_IS_WHO}.items():
        (tmp_path / file).write_text(text.format(**words), encoding="utf-8")
        (tmp_path / file).chmod(0o755)
    return tmp_path, base, {**lenient.environment, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}


@contextmanager
def step(text: str, folder: Path, environment: dict[str, str]) -> Iterator[int]:
    """The exit status of the step; what it left running is ended afterwards."""
    with (folder / "steps.log").open("ab") as log:
        running = subprocess.Popen(
            ["bash", "-eo", "pipefail", "-c", text], cwd=folder, env=environment, stdout=log, stderr=log,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        yield running.wait(PATIENCE)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)


def run_steps(steps: list[str], repository: Repository, issuer: str) -> Path:
    """Each in turn, at the addresses of this run; the folder with what they wrote."""
    folder, base, environment = repository
    with ExitStack() as stack:
        for each in steps:
            text = each.replace("http://127.0.0.1:9000/fhir", base).replace("http://127.0.0.1:8000", issuer)
            status = stack.enter_context(step(text, folder, environment))
            assert status == 0, "".join(log.read_text() for log in folder.glob("*.log"))
    return folder


def test_the_steps_for_github_actions_probe_a_server_that_is_right(lenient: Server, repository: Repository) -> None:
    steps = yaml.safe_load(example(".github/workflows/probe.yml"))["jobs"]["probe"]["steps"]
    commands = [each["run"] for each in steps if "run" in each and each["name"] != INSTALLED]

    folder = run_steps(commands, repository, lenient.url)

    assert len(commands) == 2
    sarif = json.loads((folder / steps[-1]["with"]["sarif_file"]).read_text(encoding="utf-8"))
    assert sarif["runs"][0]["results"] == []
    assert "No check failed: 3 of 3 passed" in (folder / steps[-2]["with"]["path"]).read_text(encoding="utf-8")


def test_the_script_for_gitlab_probes_a_server_that_is_right(lenient: Server, repository: Repository) -> None:
    job = yaml.safe_load(example(".gitlab-ci.yml"))["probe"]

    folder = run_steps(["\n".join(job["script"])], repository, lenient.url)

    suites = list(ElementTree.parse(folder / job["artifacts"]["reports"]["junit"]).iter("testsuite"))
    assert sum(int(each.attrib["tests"]) for each in suites) == 3
    assert {each.get("failures") for each in suites} == {"0"}
    assert (folder / job["artifacts"]["paths"][0]).is_file()
