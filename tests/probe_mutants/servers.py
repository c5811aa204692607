"""The real servers, started from the copy of the tree in which a line is broken."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Self

import django
import httpx
from django.apps import apps

from tests.probe_mutants.mutants import Mutant
from tests.probe_mutants.probing import Served
from tests.probe_mutants.tree import Tree
from tests.running import DATABASES, ROOT, Server
from tests.strangers import STRANGERS, WITH_THE_RECORDS, Protected, make_protected
from tests.templates import FILES, FOLDER
from tests.waiting import wait_until

BUNDLED = "bundled"
RECIPES = {**STRANGERS, **WITH_THE_RECORDS}
SMARTAUTH = ("smart/", "introspection/", "oauth/", "smartauth/")
DEMO = "demo/fhir/r4.json"
# what is broken there shows in what is stored
LOADED_BY = (
    "fhir/store/index.py", "fhir/store/loading.py", "fhir/store/versions.py", "fhir/versions/", "fhir/models.py",
    "smart/search/values.py", "smart/fhir/",
)  # fmt: skip


class NotServed(Exception):
    """The last lines of what the server said before it ended."""


class Bundled:
    """The bundled FHIR server with the authorization server beside it, each time with the same data."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._server = Server(SMARTAUTH_REFUSALS_LIMIT="0")
        self._server.prepare()
        self._server.tree = tree.path
        self._data = self._server.folder / "data"
        self._data.mkdir()
        self._copy(self._server.folder, self._data)

    @contextmanager
    def serve(self, mutant: Mutant | None = None) -> Iterator[Served]:
        """Raises NotServed."""
        self._copy(self._data, self._server.folder)
        try:
            if mutant is not None and mutant.file.startswith(LOADED_BY):
                self._load_anew()
            self._server.start()
        except AssertionError as problem:
            self._server.kill()
            raise NotServed(str(problem)[-500:]) from None
        try:
            yield Served(f"{self._server.url}/fhir/r4", self._server.url)
        finally:
            self._server.kill()

    def _load_anew(self) -> None:
        """What is there already would not be written again: it goes first. Raises AssertionError."""
        with closing(sqlite3.connect(self._server.folder / FILES[0])) as opened, opened:
            for model in apps.get_app_config("fhir").get_models():
                opened.execute(f'DELETE FROM "{model._meta.db_table}"')
        self._server.manage("load_fhir", str(self._tree.path / DEMO))

    def _copy(self, source: Path, target: Path) -> None:
        for name in FILES:
            for ending in ("-wal", "-shm"):
                (target / f"{name}{ending}").unlink(missing_ok=True)
            shutil.copy(source / name, target)

    def remove(self) -> None:
        self._server.remove()


class Recipe:
    """A recipe of the documentation, before the authorization server that it asks."""

    def __init__(self, name: str, tree: Tree, protected: Protected) -> None:
        self._start, self._tree, self._protected = RECIPES[name], tree, protected

    @contextmanager
    def serve(self, mutant: Mutant | None = None) -> Iterator[Served]:
        """Raises NotServed. What is broken of smartauth is broken in the one that is asked."""
        is_of_smartauth = mutant is not None and mutant.file.startswith(SMARTAUTH)
        if is_of_smartauth:
            self._restart(self._tree.path)
        try:
            with self._running() as base:
                yield Served(base, self._protected.server.url, client="several", patients=("amy", "ben"))
        finally:
            if is_of_smartauth:
                self._restart(ROOT)

    @contextmanager
    def _running(self) -> Iterator[str]:
        try:
            processes = self._start(self._protected.environment, self._protected.folder, self._tree.path)
        except AssertionError as problem:
            raise NotServed(str(problem)[-500:]) from None
        try:
            yield self._protected.base
        finally:
            for each in processes:
                each.stop()

    def _restart(self, tree: Path) -> None:
        server = self._protected.server
        server.kill()
        server.tree = tree
        try:
            server.start()
        except AssertionError as problem:
            raise NotServed(str(problem)[-500:]) from None
        wait_until(lambda: httpx.get(f"{server.url}/readyz", timeout=10).is_success)


class Servers:
    """Each made when it is needed first, and removed at the end."""

    def __init__(self) -> None:
        self._ends = ExitStack()
        self._made: dict[str, Bundled | Recipe] = {}

    def __enter__(self) -> Self:
        folder = Path(self._ends.enter_context(tempfile.TemporaryDirectory(prefix="probe-mutants-")))
        self.tree = Tree(folder)
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def of(self, name: str) -> Bundled | Recipe:
        if name not in self._made:
            self._made[name] = self._bundled() if name == BUNDLED else Recipe(name, self.tree, self._protected)
        return self._made[name]

    def _bundled(self) -> Bundled:
        made = Bundled(self.tree)
        self._ends.callback(made.remove)
        return made

    @cached_property
    def _protected(self) -> Protected:
        """The authorization server of all recipes, and the FHIR base that they serve in turn."""
        server = Server(SMARTAUTH_REFUSALS_LIMIT="0")
        self._ends.callback(server.remove)
        server.prepare()
        folder = self._ends.enter_context(tempfile.TemporaryDirectory(prefix="probe-mutants-"))
        return make_protected(server.start(), Path(folder))


@contextmanager
def prepare_environment() -> Iterator[None]:
    """SQLite for everything, and databases that are migrated and seeded once; while the block lasts."""
    for name in (*DATABASES, "SMARTAUTH_REDIS_URL"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="probe-mutants-") as folder:
        os.environ |= {"SMARTAUTH_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "smartauth.settings"}
        os.environ[FOLDER] = str(Path(folder) / "templates")
        Path(folder, "templates").mkdir(mode=0o700)
        django.setup()
        yield
