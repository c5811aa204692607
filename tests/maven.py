"""The recipe in Java, compiled once for all runs. `python -m tests.maven` downloads what it needs."""

from pathlib import Path

from tests.build_once import build_once
from tests.running import ROOT

_COMPILE = ["mvn", "--batch-mode", "--quiet", "compile"]


def build(folder: Path) -> Path:
    """A copy of the folder with its classes in target/classes and its libraries in target/lib."""
    return build_once(folder, "maven", _COMPILE, of=["pom.xml", *sorted(file.name for file in folder.glob("*.java"))])


if __name__ == "__main__":
    build(ROOT / "docs" / "recipes" / "hapi")
