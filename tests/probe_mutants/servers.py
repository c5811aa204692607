"""The real servers, started from the copy of the tree in which a line is broken."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import django

from tests.probe_mutants.mutants import Mutant
from tests.probe_mutants.probing import Served
from tests.probe_mutants.tree import Tree
from tests.running import DATABASES, Server
from tests.templates import FILES, FOLDER

DEMO = "demo/fhir/r4.json"
LOADED_BY = ("fhir/store/", "fhir/versions/", "fhir/models.py")  # what is broken there shows in what is stored


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
                self._server.manage("load_fhir", str(self._tree.path / DEMO))
            self._server.start()
        except AssertionError as problem:
            self._server.kill()
            raise NotServed(str(problem)[-500:]) from None
        try:
            yield Served(f"{self._server.url}/fhir/r4", self._server.url)
        finally:
            self._server.kill()

    def _copy(self, source: Path, target: Path) -> None:
        for name in FILES:
            for ending in ("-wal", "-shm"):
                (target / f"{name}{ending}").unlink(missing_ok=True)
            shutil.copy(source / name, target)

    def remove(self) -> None:
        self._server.remove()


class Servers:
    """Each made when it is needed first, and removed at the end."""

    def __init__(self) -> None:
        self._ends = ExitStack()
        self._made: dict[str, Bundled] = {}

    def __enter__(self) -> Self:
        folder = Path(self._ends.enter_context(tempfile.TemporaryDirectory(prefix="probe-mutants-")))
        self.tree = Tree(folder)
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def of(self, name: str) -> Bundled:
        if name not in self._made:
            self._made[name] = Bundled(self.tree)
            self._ends.callback(self._made[name].remove)
        return self._made[name]


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
