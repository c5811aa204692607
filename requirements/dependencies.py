"""What the wheel of smartauth depends on: the ranges of base.in, from which the locks are made too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

INCLUDED = "-r "


class BaseDependencies(MetadataHookInterface):
    """Hatchling asks it for what pyproject.toml declares as dynamic. A file that base.in includes is an extra."""

    def update(self, metadata: dict[str, Any]) -> None:
        lines = list(_lines(Path(self.root, "requirements/base.in")))
        extras = [Path(self.root, "requirements", _included(line)) for line in lines if line.startswith(INCLUDED)]
        metadata["dependencies"] = [line for line in lines if not line.startswith(INCLUDED)]
        metadata["optional-dependencies"] = {extra.stem: list(_lines(extra)) for extra in extras}


def _lines(file: Path) -> Iterator[str]:
    stripped = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return (line for line in stripped if line)


def _included(line: str) -> str:
    return line.removeprefix(INCLUDED).strip()
