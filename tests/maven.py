"""The recipes in Java, compiled once for all runs. `python -m tests.maven` downloads what they need.

It compiles their middleware by itself, too, as who installs it does.
"""

import subprocess
from pathlib import Path

from tests.build_once import build_once
from tests.running import ROOT

PACKAGE = "clients/java/src/main/java"  # the middleware of all recipes in Java
_SOURCES = ROOT / PACKAGE
_COMPILE = ["mvn", "--batch-mode", "--quiet", f"-Dpackage={_SOURCES}", "compile"]


def build(folder: Path) -> Path:
    """A copy of the folder with its classes in target/classes and its libraries in target/lib."""
    sources = sorted(str(file) for file in (*folder.glob("*.java"), *_SOURCES.rglob("*.java")))
    return build_once(folder, "maven", _COMPILE, of=["pom.xml", *sources])


if __name__ == "__main__":
    for folder in ("docs/recipes/hapi", "docs/recipes/spring", "tests/clients/hapi_client"):
        build(ROOT / folder)
    subprocess.run([*_COMPILE, f"--file={ROOT / 'clients/java/pom.xml'}"], check=True, timeout=600)
