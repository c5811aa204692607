"""What the wheel of smartauth depends on: the ranges of base.in, from which the locks are made too."""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class BaseDependencies(MetadataHookInterface):
    """Hatchling asks it for `dependencies`, which pyproject.toml declares as dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        lines = Path(self.root, "requirements/base.in").read_text(encoding="utf-8").splitlines()
        requirements = (line.partition("#")[0].strip() for line in lines)
        metadata["dependencies"] = [requirement for requirement in requirements if requirement]
