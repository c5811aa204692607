"""A copy of the tree in which one file at a time is broken: the working tree is never touched."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path

from tests.probe_mutants.mutants import StaleMutant
from tests.running import ROOT
from tests.tracked import tracked_files


class Tree:
    """The tracked files, and new ones that git does not ignore, as they were when it was made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in tracked_files(also_new=True):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, path / name)

    def text(self, file: str) -> str:
        """Raises StaleMutant where there is no such file."""
        try:
            return (self.path / file).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise StaleMutant(f"there is no file {file} any more") from None

    @contextmanager
    def broken(self, file: str, text: str) -> Iterator[None]:
        """While the block lasts, the file holds this text."""
        whole = self.text(file)
        try:
            self._write(file, text)
            yield
        finally:
            self._write(file, whole)

    def _write(self, file: str, text: str) -> None:
        """Bytecode is kept by second and size: that of a file that was just another one goes."""
        place = self.path / file
        place.write_text(text, encoding="utf-8")
        if file.endswith(".py"):
            Path(cache_from_source(str(place))).unlink(missing_ok=True)
