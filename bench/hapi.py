"""HAPI's plain server of the recipe, with the records of bench/fhir_records.py in its memory."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.contenders import A_SECRET, ROOT, Contender, free_port, running

RECIPE = ROOT / "docs" / "recipes" / "hapi"
MIDDLEWARE = ROOT / "clients" / "java" / "src" / "main" / "java"
BUILD_SECONDS = 300


def version() -> str:
    """Of HAPI, as the recipe names it."""
    (found,) = re.findall("<hapi.version>(.*)</hapi.version>", (RECIPE / "pom.xml").read_text(encoding="utf-8"))
    return str(found)


def build(folder: Path) -> Path | None:
    """Where Maven put the recipe's classes and libraries; None without Java, or where packages would be downloaded."""
    if not (shutil.which("java") and shutil.which("mvn")):
        return None
    place = shutil.copytree(RECIPE, folder / "hapi")
    command = ["mvn", "--batch-mode", "--quiet", "--offline", f"-Dpackage={MIDDLEWARE}", "compile"]
    with (folder / "maven.log").open("wb") as said:
        built = subprocess.run(command, cwd=place, stdout=said, stderr=said, timeout=BUILD_SECONDS)
    return None if built.returncode else place / "target"


@contextmanager
def serving(
    built: Path, ours: Contender, folder: Path, patients: int, each: int
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Its port and process: records of so many patients at the base of `ours`, which it asks to decide."""
    port = free_port()
    source = str(ROOT / "bench" / "HapiRecords.java")
    command = ["java", "-cp", f"{built / 'classes'}:{built / 'lib'}/*", source, str(patients), str(each)]
    environment = {
        "FHIR_BASE": f"http://127.0.0.1:{ours.port}/fhir/r4",
        "PORT": str(port),
        "INTROSPECT": f"http://127.0.0.1:{ours.port}{ours.path}",
        "CLIENT_ID": "resource-server",
        "CLIENT_SECRET": A_SECRET,
    }
    with running(command, port, folder / "hapi.log", **environment) as process:
        yield port, process
