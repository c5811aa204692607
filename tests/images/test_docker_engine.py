"""The engine of the tests is ended whatever became of it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images import builder
from tests.images.docker_engine import Engine, remove_empty_groups

pytestmark = pytest.mark.one_engine


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(builder, "place", lambda: tmp_path)
    return Engine()


def test_one_that_never_began_is_stopped(engine: Engine) -> None:
    engine.stop()


def test_what_had_begun_is_ended_also_when_its_containers_cannot_be_removed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang() -> None:
        raise subprocess.TimeoutExpired("docker", 300)

    monkeypatch.setattr(engine, "_forget_containers", hang)
    engine._begin("sleep", "600")
    (begun,) = engine._processes

    with pytest.raises(subprocess.TimeoutExpired):
        engine.stop()

    assert begun.poll() is not None


@pytest.fixture
def groups() -> Iterator[Path]:
    """Where there are control groups of this test alone."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    places = [Path(place) for _, place, kind, options, *_ in mounts if kind == "cgroup2" and "rw" in options.split(",")]
    if not places or not os.access(places[0], os.W_OK):
        pytest.skip("NOT CHECKED: control groups of version 2, which root makes where they are mounted")
    made = places[0] / f"smartauth-{os.getpid()}"
    made.mkdir()
    try:
        yield made
    finally:
        for folder, _, _ in os.walk(made, topdown=False):
            Path(folder).rmdir()


def test_of_the_control_groups_that_systemd_left_those_go_in_which_nothing_runs(groups: Path) -> None:
    left, used = groups / "left", groups / "used"
    for folder in (left / "system.slice" / "one.service", used / "init.scope" / "idle.service"):
        folder.mkdir(parents=True)
    with subprocess.Popen(["sleep", "600"]) as running:
        try:
            (used / "init.scope" / "cgroup.procs").write_text(str(running.pid))

            remove_empty_groups(groups)

            assert {each.name for each in groups.iterdir() if each.is_dir()} == {"used"}
            assert (used / "init.scope" / "idle.service").is_dir()
        finally:
            running.kill()
