"""For pytest under mutmut: databases migrated once for all mutants, and quick tests first."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

chosen: frozenset[str] = frozenset()  # the tests that touch the function in question; empty = all
_DATA = Path(os.environ["SMARTAUTH_DATA_DIR"])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """As mutmut measured them."""
    if chosen:
        items[:] = [item for item in items if item.nodeid in chosen]
    measured = Path("mutmut-stats.json")
    if measured.exists():
        seconds = json.loads(measured.read_text(encoding="utf-8"))["duration_by_test"]
        items.sort(key=lambda item: float(seconds.get(item.nodeid, 0)))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """mutmut's fork server only collects; the workers that it forks find what was made here."""
    needs = any("committed" in getattr(item, "fixturenames", ()) for item in session.items)
    if needs and session.config.option.collectonly and os.environ.get("MUTANT_UNDER_TEST") == "":
        _migrate_once(session.config)


def _migrate_once(config: pytest.Config) -> None:
    from django.db import connections
    from django.test import utils
    from pytest_django.plugin import blocking_manager_key

    from oauth.keys import signing_keys

    with config.stash[blocking_manager_key].unblock():
        utils.setup_databases(verbosity=0, interactive=False)
        signing_keys.ensure_keys()
        connections.close_all()
    made = _DATA / "migrated"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    for file in _DATA.glob("test-*"):
        shutil.copy(file, made)

    def take_copies(**_options: Any) -> list[Any]:
        for file in _DATA.glob("test-*"):
            file.unlink()
        for file in made.iterdir():
            shutil.copy(file, _DATA)
        return []

    setattr(utils, "setup_databases", take_copies)  # noqa: B010
    setattr(utils, "teardown_databases", lambda *_, **__: None)  # noqa: B010
