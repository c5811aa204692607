"""The engine of the tests is ended whatever became of it."""

import subprocess
from pathlib import Path

import pytest

from tests.images import builder
from tests.images.docker_engine import Engine

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
