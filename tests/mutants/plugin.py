"""For pytest under mutmut: databases migrated once for all mutants, and the test that is likeliest to notice first."""

import importlib
import json
import os
import shutil
import signal
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
TIMEOUT, LONGEST = 36, 20  # as mutmut calls it; seconds beyond six times those of the tests
SETUP = {True: 0.03, False: 0.002}  # seconds of the fixtures, with databases and without
MOST = float(os.environ.get("MUTANTS_SECONDS") or 4)  # of tests of the module's own file, and as many of others


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """The run that measures the tests imports all that they need."""
    if os.environ["MUTANT_UNDER_TEST"] == "stats":
        _MODULES.write_text("\n".join(sorted(sys.modules)), encoding="utf-8")


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
    if os.environ["MUTANT_UNDER_TEST"] == "":
        if any(map(_needs_databases, session.items)):
            _migrate_once(config)
        _require_success(session)
    return session


def _require_success(session: pytest.Session) -> None:
    """A test passes in a fork while nothing is broken: else every mutant would count as noticed."""
    test = next((item for item in session.items if _needs_databases(item)), session.items[0]).nodeid
    child = os.fork()
    if not child:
        os._exit(run_chosen(session, "", frozenset({test})))
    if os.waitpid(child, 0)[1]:
        raise RuntimeError(f"{test} fails without a mutant")


def _needs_databases(item: pytest.Item) -> bool:
    return bool({"committed", "django_db_setup"} & set(getattr(item, "fixturenames", ())))


def run_chosen(session: pytest.Session, mutant: str, chosen: frozenset[str]) -> int:
    """Runs these tests of a warm session, all if none is named. A failure ends the process of a mutant with 1."""
    session.items = [item for item in session.items if not chosen or item.nodeid in chosen]
    if mutant:
        function = mutant.rpartition("__mutmut_")[0]
        session.items = _likeliest(session.items, function)
        signal.signal(signal.SIGALRM, lambda *_: os._exit(TIMEOUT))
        signal.alarm(LONGEST + int(6 * MOST))
        session.config.pluginmanager.register(_FirstFailure(function))
    with suppress(session.Failed):
        session.config.hook.pytest_runtestloop(session=session)
    return int(session.testsfailed > 0)


def _likeliest(items: list[pytest.Item], function: str) -> list[pytest.Item]:
    """Those of the module's own file of tests, and others, as many as fit into the time that a mutant may cost.

    First comes what is quick and has noticed mutants of the same function or module.
    """
    seconds = json.loads(_STATS.read_text(encoding="utf-8"))["duration_by_test"] if _STATS.exists() else {}
    module = function.rpartition(".")[0]
    own = "tests/{}/test_{}.py".format(*module.replace(".", "/").rsplit("/", 1))
    noticed = Counter[str]()
    for line in _KILLERS.read_text(encoding="utf-8").splitlines() if _KILLERS.exists() else []:
        killed, _, test = line.partition(" ")
        noticed[test] += 10 * (killed == function) + killed.startswith(f"{module}.")
    cost = {item: SETUP[_needs_databases(item)] + float(seconds.get(item.nodeid, 0)) for item in items}
    is_own = {item: item.nodeid.startswith(f"{own}::") for item in items}
    ordered = sorted(items, key=lambda item: cost[item] / (1 + noticed[item.nodeid] + 5 * is_own[item]))
    spent, chosen = {True: 0.0, False: 0.0}, []
    for item in ordered:
        spent[is_own[item]] += cost[item]
        if spent[is_own[item]] <= MOST:
            chosen.append(item)
    return chosen


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

    made = _DATA / "migrated"  # in a folder of this run: a clean run comes first and makes it
    if made.is_dir():
        _name_test_databases()
    else:
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


def _name_test_databases() -> None:
    """As a migration of test databases would."""
    from django.db import connections

    for each in connections.all():
        creation: Any = each.creation
        each.settings_dict["NAME"] = creation._get_test_db_name()


def _migrate(config: pytest.Config) -> None:
    from django.db import connections
    from django.test import utils
    from pytest_django.plugin import blocking_manager_key

    from oauth.keys import signing_keys

    with config.stash[blocking_manager_key].unblock():
        utils.setup_databases(verbosity=0, interactive=False)
        signing_keys.ensure_keys()
        connections.close_all()
