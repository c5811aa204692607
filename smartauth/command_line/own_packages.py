"""Whether the packages that will be imported are those of this distribution: their names are everyday words."""

from collections.abc import Iterator
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from smartauth.resources import IS_INSTALLED, PACKAGE

NAMES = ("accounts", "audit", "fhir", "introspection", "oauth", "operators", "smart")


def misplaced_files() -> list[Path]:
    """Files of others that would be imported under our names, or that were installed over ours."""
    return [*_elsewhere(), *(_overwritten() if IS_INSTALLED else ())]


def _elsewhere() -> Iterator[Path]:
    for name in NAMES:
        found = PathFinder.find_spec(name)
        file = Path(found.origin) if found and found.origin else Path(name)
        if file.resolve() != PACKAGE.parent / name / "__init__.py":
            yield file


def _overwritten() -> Iterator[Path]:
    """Where two distributions bring one file, the later one lies there: its size tells, or that it is gone."""
    try:
        files = distribution("smartauth").files or ()
    except PackageNotFoundError:
        return
    for file in files:
        if file.suffix == ".py" and file.parts[0] in NAMES:
            path = Path(str(file.locate()))
            if not path.is_file() or path.stat().st_size != file.size:
                yield path
