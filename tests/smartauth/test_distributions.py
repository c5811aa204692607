"""The wheels, installed without the source tree: the server with all it needs, and what producers install."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from requirements.distributions import build
from tests.running import ROOT, free_port

pytestmark = pytest.mark.one_engine

PACKAGES = ("accounts", "audit", "fhir", "introspection", "oauth", "operators", "smart", "smartauth")
EXTRAS = {"postgresql": "psycopg", "redis": "redis"}
BUNDLED = ("templates", "static", "demo", "smartauth.yaml")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
IMPORT_ALL = """
import pkgutil, sys, smartauth_probe
for each in pkgutil.walk_packages(smartauth_probe.__path__, "smartauth_probe."):
    if not each.name.endswith("pytest_plugin"):
        __import__(each.name)
from smartauth_probe.catalogue import kinds
print(len(kinds()) > 90, "django" in sys.modules)
"""


def run(command: Sequence[str | Path], **options: Any) -> str:
    """What it printed. Raises with what it said if it failed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    printed: str = done.stdout
    return printed


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make dist` writes. What builds it is in the lock, so that no index is asked."""
    folder = tmp_path_factory.mktemp("dist")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def wheels(release: Path) -> dict[str, Path]:
    """Each of them by name."""
    return {wheel.name.partition("-")[0]: wheel for wheel in release.glob("*.whl")}


def files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return {name for name in opened.namelist() if ".dist-info/" not in name}


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


class Installed:
    """The wheels in a fresh environment without extras, which finds dependencies where the tests have them."""

    def __init__(self, folder: Path, wheels: dict[str, Path], python: Path = Path(sys.executable)) -> None:
        self.environment_folder, self.home, self.empty = folder / "venv", folder / "home", folder / "empty"
        self.home.mkdir()
        self.empty.mkdir()
        run([python, "-m", "venv", "--symlinks", "--without-pip", self.environment_folder])
        self._install("--no-index", *wheels.values())
        if python != Path(sys.executable):
            self._install("--require-hashes", f"--requirement={made_for_one_python(folder / 'lock.txt')}")
        (self.packages / "dependencies.pth").write_text(str(self._without_extras(folder / "dependencies")))
        self.port = free_port()

    def _install(self, *what: str | Path) -> None:
        python = str(self.environment_folder / "bin/python")
        run([*PIP, "--python", python, "install", "--no-deps", "--no-compile", *what])

    def _without_extras(self, folder: Path) -> Path:
        folder.mkdir()
        for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
            if not entry.name.startswith(tuple(EXTRAS.values())):
                (folder / entry.name).symlink_to(entry)
        return folder

    @property
    def packages(self) -> Path:
        (found,) = self.environment_folder.glob("lib/python3*/site-packages")
        return found

    @property
    def command(self) -> Path:
        return self.environment_folder / "bin/smartauth"

    @property
    def environment(self) -> dict[str, str]:
        """A shell that knows nothing of the tree."""
        path = f"{self.environment_folder / 'bin'}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.home), "SMARTAUTH_PORT": str(self.port)}

    def smartauth(self, *arguments: str) -> str:
        return run([self.command, *arguments], cwd=self.empty, env=self.environment)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, Path]) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"), wheels)


@pytest.fixture(scope="module")
def printed(installed: Installed) -> Iterator[str]:
    with development_server(installed) as said:
        yield said


@contextmanager
def development_server(installed: Installed) -> Iterator[str]:
    """What `smartauth dev` prints in an empty folder. It runs meanwhile."""
    log = installed.home / "log"
    with log.open("wb") as out:
        running = subprocess.Popen(
            [installed.command, "dev"], cwd=installed.empty, env=installed.environment, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 300
        while not re.search("401: the token is revoked.*\n.*\n", log.read_text()) and time.monotonic() < deadline:
            assert running.poll() is None, log.read_text()
            time.sleep(0.1)
        yield log.read_text()
    finally:
        running.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            running.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)


def made_for_one_python(written: Path) -> Path:
    """The part of the lock that holds what is compiled for each Python by itself; the rest is the same for all."""
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements/base.txt").read_text(encoding="utf-8"))
    tag = f".{sys.implementation.cache_tag}-"

    def is_compiled(block: str) -> bool:
        name = block.partition("==")[0]
        return "==" in block and any(tag in file.name for file in distribution(name).files or ())

    written.write_text("\n".join(filter(is_compiled, blocks)), encoding="utf-8")
    return written


def other_python() -> Path | None:
    """The newest that is here beside the one of the tests, which is the oldest that smartauth runs with."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for version in ("3.14", "3.13", "3.12"):
        on_path = shutil.which(f"python{version}")
        for found in (*pyenv.glob(f"{version}.*/bin/python"), *([Path(on_path)] if on_path else [])):
            works = [str(found), "-c", "import sqlite3, ssl, venv"]
            if subprocess.run(works, capture_output=True, timeout=60).returncode == 0:
                return found
    return None


def test_every_file_of_ours_travels(wheels: dict[str, Path]) -> None:
    def in_tree(name: str) -> Iterator[str]:
        found = [ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*")
        yield from (str(file.relative_to(ROOT)) for file in found if file.is_file() and file.suffix != ".pyc")

    wanted = {file for name in PACKAGES for file in in_tree(name)}
    wanted |= {f"smartauth/bundled/{file}" for name in BUNDLED for file in in_tree(name)}

    assert wanted - files(wheels["smartauth"]) == set()


def test_they_have_one_version_and_no_file_in_common(wheels: dict[str, Path]) -> None:
    versions = {wheel.name.split("-")[1] for wheel in wheels.values()}
    brought = [files(wheel) for wheel in wheels.values()]

    assert len(wheels) == 3
    assert len(versions) == 1
    assert len(set.union(*brought)) == sum(map(len, brought))
    for name in ("smartauth_probe", "smartauth_enforcement"):
        assert {file.split("/")[0] for file in files(wheels[name])} == {name}


def test_a_release_is_made_again_byte_for_byte_from_its_own_sources(release: Path, tmp_path: Path) -> None:
    run(["tar", "-xzf", release / "smartauth-0.1.0.tar.gz", f"--directory={tmp_path}"])
    (sources,) = tmp_path.iterdir()
    for file in sources.rglob("*.py"):
        os.utime(file, (1, 1))
        file.chmod(file.stat().st_mode & 0o700)

    run([sys.executable, "-m", "hatchling", "build", "--directory", tmp_path / "dist"], cwd=sources)

    again = {file.name: sha256(file) for file in (tmp_path / "dist").iterdir()}
    assert len(again) == 2
    assert again == {name: sha256(release / name) for name in again}


def test_beside_the_wheel_lies_what_is_in_it(release: Path, wheels: dict[str, Path]) -> None:
    document = json.loads((release / "smartauth-0.1.0.cdx.json").read_text())

    wheel = {"alg": "SHA-256", "content": sha256(wheels["smartauth"])}
    assert document["metadata"]["component"]["hashes"] == [wheel]
    assert "requirements.distributions" in run(["make", "--dry-run", "dist"], cwd=ROOT)


def test_the_probe_needs_nothing_else(wheels: dict[str, Path], tmp_path: Path) -> None:
    run([*PIP, "install", "--no-deps", "--no-index", "--no-compile", f"--target={tmp_path}", wheels["smartauth_probe"]])

    bare = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{IMPORT_ALL}"]
    assert run(bare) == "True False\n"
    assert "Requires-Dist" not in next(tmp_path.glob("*.dist-info/METADATA")).read_text()
    entry_points = next(tmp_path.glob("*.dist-info/entry_points.txt")).read_text()
    assert "pytest11" in entry_points
    assert "smartauth-probe = smartauth_probe.command:main" in entry_points


def test_the_middleware_needs_httpx_alone(wheels: dict[str, Path], installed: Installed) -> None:
    with zipfile.ZipFile(wheels["smartauth_enforcement"]) as opened:
        (about,) = (opened.read(name).decode() for name in opened.namelist() if name.endswith("/METADATA"))
    loaded = "import sys, smartauth_enforcement as it; print(it.__file__); print('django' in sys.modules)"

    assert re.findall("Requires-Dist: (.*)", about) == ["httpx>=0.27"]
    assert "smartauth_enforcement/py.typed" in files(wheels["smartauth_enforcement"])
    said = run([installed.environment_folder / "bin/python", "-I", "-c", loaded], cwd=installed.empty).splitlines()
    assert said == [str(installed.packages / "smartauth_enforcement/__init__.py"), "False"]


def test_help_needs_no_database_and_leaves_nothing(installed: Installed) -> None:
    before = set(installed.home.rglob("*"))

    assert "Start a development server" in installed.smartauth("--help")
    assert set(installed.home.rglob("*")) == before


def test_dev_in_an_empty_folder_prints_what_works_as_printed(installed: Installed, printed: str) -> None:
    assert statuses_of_first_commands(installed, printed) == ["200", "404", "401"]
    assert "manage.py" not in printed


def test_with_a_newer_python_it_issues_reads_and_refuses(wheels: dict[str, Path], tmp_path: Path) -> None:
    if not (python := other_python()):
        pytest.skip("no Python 3.12 to 3.14 is installed here")
    with development_server(newer := Installed(tmp_path, {"smartauth": wheels["smartauth"]}, python)) as printed:
        assert statuses_of_first_commands(newer, printed) == ["200", "404", "401"]


def statuses_of_first_commands(installed: Installed, printed: str) -> list[str]:
    lines = [line for line in printed.splitlines() if line.startswith(("TOKEN=", "curl "))]
    script = "".join(f"{line} | tail -n 1\n" if line.startswith("curl") else f"{line}\n" for line in lines)

    shell = {name: value for name, value in installed.environment.items() if name != "SMARTAUTH_PORT"}
    assert "smartauth token --client demo-public" in lines[0]
    return run(["bash", "-euo", "pipefail", "-c", script], cwd=installed.empty, env=shell).split()


def test_data_lie_in_a_folder_of_the_account(installed: Installed, printed: str) -> None:
    folder = installed.home / f".local/share/smartauth/{installed.port}"

    assert f"  data           {folder}\n" in printed
    assert (folder / "smartauth.sqlite3").is_file()
    assert list(installed.empty.iterdir()) == []


def test_verbs_beside_it_are_about_the_server_that_runs(installed: Installed, printed: str) -> None:
    seed = installed.packages / "smartauth/bundled/smartauth.yaml"

    migrated = installed.smartauth("migrate")
    seeded = json.loads(installed.smartauth("seed", str(seed), "--json"))
    clients = json.loads(installed.smartauth("client", "list", "--json"))

    assert migrated.splitlines() == [f"database {name}: every migration is applied" for name in ("default", "audit")]
    assert seeded == {"changes": [], "warnings": [], "secrets": {}}
    assert "demo-public" in {each["client_id"] for each in clients}


def test_what_only_some_need_is_an_extra(wheels: dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels["smartauth"]) as opened:
        (about,) = (opened.read(name).decode() for name in opened.namelist() if name.endswith("/METADATA"))

    assert {*re.findall("Provides-Extra: (.*)", about)} == {*EXTRAS}
    for extra, package in EXTRAS.items():
        assert [*re.findall(rf"Requires-Dist: ({package}\b.*)", about)] == [
            requirement for requirement in re.findall("Requires-Dist: (.*)", about)
            if requirement.startswith(package) and f"extra == '{extra}'" in requirement
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "url", "extra"),
    [
        ("SMARTAUTH_DATABASE_URL", "postgresql://somebody:secret-word@db.example.org/smartauth", "postgresql"),
        ("SMARTAUTH_REDIS_URL", "redis://:secret-word@redis.example.org/0", "redis"),
    ],
)
def test_a_url_that_needs_an_extra_is_refused_in_one_line_that_names_it(
    installed: Installed, name: str, url: str, extra: str
) -> None:
    done = subprocess.run(
        [installed.command, "migrate"], cwd=installed.empty, env={**installed.environment, name: url},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    needed = f"smartauth: {name} needs an extra that is not installed: pip install 'smartauth[{extra}]'.\n"
    assert (done.returncode, done.stderr) == (1, needed)


def test_a_file_that_another_distribution_wrote_over_ours_is_named(installed: Installed) -> None:
    file = installed.packages / "accounts/models.py"
    ours = file.read_text()
    file.write_text("# of another distribution\n")
    try:
        done = subprocess.run([installed.command, "--help"], env=installed.environment, capture_output=True, text=True)
    finally:
        file.write_text(ours)

    assert done.returncode == 1
    assert str(file) in done.stderr
