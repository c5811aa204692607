"""The images of docker/Dockerfile, built as Debian can.

No registry of images is asked: the base that the Dockerfile names is made of Debian's packages, by mmdebstrap.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests import network
from tests.running import ROOT
from tests.templates import FOLDER

AS_ROOT = pytest.mark.skipif(
    not network.is_possible(), reason="NOT CHECKED: images are built and run as root, in namespaces"
)
DEV = "FROM base AS dev"
DOCKERFILE = ROOT / "docker" / "Dockerfile"
PACKAGES = "python3,python3-venv,ca-certificates"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
APART = ("unshare", "--mount")  # what is mounted is gone with the process
# what of this machine's pip a build needs, in order to reach an index
PIP_OPTIONS = ("cert", "index-url", "extra-index-url", "trusted-host", "timeout", "proxy")


def buildah(*arguments: str | Path) -> str:
    """What it printed. Raises with what it said if it failed."""
    return _run([*APART, *_buildah(_driver()), *arguments])


def _buildah(driver: str) -> list[str | Path]:
    where = place()
    return ["buildah", f"--root={where}/{driver}", f"--runroot={where}/run-{driver}", f"--storage-driver={driver}"]


@cache
def _driver() -> str:
    """Overlays, where they can be mounted; else each step is a copy of all files."""
    tried = subprocess.run([*APART, *_buildah("overlay"), "info"], capture_output=True, timeout=60)
    return "vfs" if tried.returncode else "overlay"


@dataclass(frozen=True)
class Image:
    """Where its files lie, and what a container of it begins with."""

    root: Path
    environment: dict[str, str]
    command: list[str]
    user: str
    health_check: list[str]
    size: int


def image(target: str) -> Image:
    """The image of that target of the Dockerfile, built now if nobody has."""
    with (place() / f"{target}.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        described = place() / f"{target}.json"
        if not described.exists():
            _build(target)
            described.write_text(json.dumps(_description(f"smartauth-{target}")), encoding="utf-8")
    found = json.loads(described.read_text(encoding="utf-8"))
    return Image(**{**found, "root": Path(found["root"])})


def _description(name: str) -> dict[str, object]:
    config = json.loads(buildah("inspect", "--type=image", name))["Docker"]["config"]
    root = _unpacked(name)
    size = sum(file.lstat().st_size for file in root.rglob("*") if file.is_file() and not file.is_symlink())
    environment = dict(value.split("=", 1) for value in config["Env"])
    return {
        "root": str(root),
        "environment": environment,
        "command": config["Cmd"],
        "user": config["User"],
        "health_check": config["Healthcheck"]["Test"][1:],
        "size": size,
    }


UNPACK = """\
container=$("$@" from --pull-never "$IMAGE")
cp --archive --no-target-directory "$("$@" mount "$container")" "$ROOT"
"$@" rm "$container"
"""


def _unpacked(name: str) -> Path:
    """Its files as they are in a container, in a folder of their own: no mount stays that would outlive the run."""
    root = place() / f"{name}-root"
    shutil.rmtree(root, ignore_errors=True)  # of a run that was killed
    script = ["env", f"IMAGE={name}", f"ROOT={root}", "sh", "-ec", UNPACK, "sh"]
    _run([*APART, *script, *_buildah(_driver())])
    return root


@cache
def place() -> Path:
    """Beside the templates of this run, which are deleted at its end; without a run of .ci/run, in var."""
    found = Path(os.environ.get(FOLDER) or ROOT / "var") / "images"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def _build(target: str) -> None:
    """By the file as it is; `dev`, which has the files of `production`, by the end of it alone.

    Each instruction of its own layer would be a copy of everything without overlays, so there are none.
    """
    base, context, dockerfile = base_name(), ROOT, DOCKERFILE
    if not _has(base):
        _make_base(base)
    if target == "dev":
        image("production")
        dockerfile, context = place() / "Dockerfile", place() / "empty"
        rest = DEV + DOCKERFILE.read_text(encoding="utf-8").partition(DEV)[2]
        dockerfile.write_text(f"FROM smartauth-production AS base\n{rest}", encoding="utf-8")
        context.mkdir(exist_ok=True)
    buildah(
        "build", "--quiet", "--isolation=chroot", "--network=host", "--format=docker", "--pull-never", "--layers=false",
        f"--volume={pip_settings()}:/etc/pip.conf:ro", f"--volume={CERTIFICATES}:/etc/ssl/certs/of-the-machine.crt:ro",
        f"--file={dockerfile}", f"--target={target}", f"--tag=smartauth-{target}", context,
    )  # fmt: skip


def base_name() -> str:
    """What the Dockerfile begins with."""
    (name,) = {line.split()[1] for line in DOCKERFILE.read_text().splitlines() if re.match(r"FROM \S+:", line)}
    return name


def packed_base(file: Path) -> Path:
    """The base, as other engines load it."""
    with (place() / "production.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not _has(base_name()):
            _make_base(base_name())
        file.unlink(missing_ok=True)  # of a run that was killed: an archive is not written over
        buildah("push", "--quiet", base_name(), f"docker-archive:{file}:{base_name()}")
    return file


def _has(image: str) -> bool:
    return image in buildah("images", "--noheading", "--format={{.Name}}:{{.Tag}}").replace("docker.io/library/", "")


def _make_base(name: str) -> None:
    packed = place() / "base.tar"
    _run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", name.rpartition("-")[2], str(packed)])
    container = buildah("from", "scratch").strip()
    buildah("add", "--quiet", container, packed, "/")
    buildah("commit", "--quiet", "--rm", container, name)
    packed.unlink()


def pip_settings() -> Path:
    """A pip.conf for a build, in which the certificates lie beside those of Debian."""
    listed = _run([sys.executable, "-m", "pip", "config", "list"])
    known = dict(re.findall(r"^[^.\s]+\.([a-z-]+)='(.*)'$", listed, re.MULTILINE))
    known |= {"cert": "/etc/ssl/certs/of-the-machine.crt"} if "cert" in known else {}
    lines = [f"{option} = {known[option]}" for option in PIP_OPTIONS if option in known]
    written = place() / "pip.conf"
    written.write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")
    return written


def _run(command: list[str | Path]) -> str:
    assert shutil.which(str(command[0])), f"{command[0]} is needed (Debian: apt-get install buildah mmdebstrap)"
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, f"{command[0]} failed: {done.stdout}{done.stderr}"
    return done.stdout
