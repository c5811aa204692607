"""For pytest under mutmut: databases migrated once for all mutants, and the test that is likeliest to notice first."""

import importlib
import json
import os
import shutil
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

_DATA = Path(os.environ["SMARTAUTH_DATA_DIR"])
_KILLERS = Path("mutmut-killers.txt")  # a line for each mutant that a test noticed: its function, the test
_MODULES = Path("mutmut-modules.txt")  # what the tests import, late or not
_STATS = Path("mutmut-stats.json")


def warm_session(arguments: list[str]) -> pytest.Session:
    """A session that has collected and imported everything, and runs nothing yet: its forks find it all there."""
    from _pytest.config import _prepareconfig

    config = _prepareconfig(arguments)
    config._do_configure()
    session = pytest.Session.from_config(config)
    config.hook.pytest_sessionstart(session=session)
    session.perform_collect()
    if _MODULES.exists():
        for name in _MODULES.read_text(encoding="utf-8").split():
            with suppress(Exception):
                importlib.import_module(name)
    if os.environ["MUTANT_UNDER_TEST"] == "" and any(
        "committed" in getattr(item, "fixturenames", ()) for item in session.items
    ):
        _migrate_once(config)
    return session


def run_chosen(session: pytest.Session, mutant: str, chosen: frozenset[str]) -> int:
    """Runs these tests of a warm session, all if none is named. A failure ends the process of a mutant with 1."""
    session.items = [item for item in session.items if not chosen or item.nodeid in chosen]
    function = mutant.rpartition("__mutmut_")[0]
    session.items.sort(key=_order(function))
    if mutant:
        session.config.pluginmanager.register(_FirstFailure(function))
    with suppress(session.Failed):
        session.config.hook.pytest_runtestloop(session=session)
    if not mutant:
        _MODULES.write_text("\n".join(sorted(sys.modules)), encoding="utf-8")
    return int(session.testsfailed > 0)


def _order(function: str) -> Any:
    """By the time that a test takes, and how often it noticed a mutant of that function or of its module."""
    seconds = json.loads(_STATS.read_text(encoding="utf-8"))["duration_by_test"] if _STATS.exists() else {}
    of_function, of_module = Counter[str](), Counter[str]()
    for line in _KILLERS.read_text(encoding="utf-8").splitlines() if _KILLERS.exists() else []:
        killed, _, test = line.partition(" ")
        of_function[test] += killed == function
        of_module[test] += killed.rpartition(".")[0] == function.rpartition(".")[0]

    def key(item: pytest.Item) -> float:
        noticed = 1 + 10 * of_function[item.nodeid] + of_module[item.nodeid]
        return (float(seconds.get(item.nodeid, 0)) + 0.01) / noticed

    return key


class _FirstFailure:
    def __init__(self, function: str) -> None:
        self._function = function

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            with _KILLERS.open("a", encoding="utf-8") as killers:
                killers.write(f"{self._function} {report.nodeid}\n")
            os._exit(1)


def _migrate_once(config: pytest.Config) -> None:
    from django.test import utils

    from tests import migrated_databases

    made = _DATA / "migrated"  # in a folder of this run: the clean run comes first and makes it
    if not made.is_dir():
        _migrate(config)
        made.mkdir()
        for file in _DATA.glob("test-*"):
            shutil.copy(file, made)

    def take_copies(**_options: Any) -> list[Any]:
        for file in _DATA.glob("test-*"):
            file.unlink()
        for file in made.iterdir():
            shutil.copy(file, _DATA)
        return []

    setattr(migrated_databases, "copy_migrated_databases", dict)  # noqa: B010
    setattr(utils, "setup_databases", take_copies)  # noqa: B010
    setattr(utils, "teardown_databases", lambda *_, **__: None)  # noqa: B010


def _migrate(config: pytest.Config) -> None:
    from django.db import connections
    from django.test import utils
    from pytest_django.plugin import blocking_manager_key

    from oauth.keys import signing_keys

    with config.stash[blocking_manager_key].unblock():
        utils.setup_databases(verbosity=0, interactive=False)
        signing_keys.ensure_keys()
        connections.close_all()
