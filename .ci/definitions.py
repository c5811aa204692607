"""Writes what smart/ and fhir/ know of FHIR's versions, from the packages in which they are published.

    .ci/definitions.py FOLDER [VERSION ...]

FOLDER holds the packages; smart/fhir/definitions/README.md says which, and how they are got.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from fhir_packages.schemas import Schemas
from fhir_packages.search_parameters import definitions
from fhir_packages.sources import SOURCES, read

ROOT = Path(__file__).resolve().parent.parent


def main(folder: str, *versions: str) -> None:
    """Reads the packages and writes the files of each version."""
    for version in versions or SOURCES:
        package = read(version, Path(folder))
        types = json.dumps({"resource_types": package.resource_types()}, indent=2)
        (ROOT / f"smart/fhir/versions/{version}.json").write_text(f"{types}\n", encoding="utf-8")
        rows = ",\n".join(lines(definitions(package), "  ", (", ", ": ")))
        (ROOT / f"smart/fhir/definitions/{version}.json").write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")
        schemas = "\n".join(lines(Schemas(package).build(), "", (",", ":")))
        packed = gzip.compress(f"{schemas}\n".encode(), mtime=0)
        (ROOT / f"fhir/validation/schemas/{version}.jsonl.gz").write_bytes(packed)


def lines(rows: dict[str, Any], indent: str, separators: tuple[str, str]) -> list[str]:
    """A line of JSON for each name, so that a change of one is a change of a line."""
    written = ((json.dumps(name), json.dumps(row, separators=separators)) for name, row in rows.items())
    return [f"{indent}{name}: {row}" for name, row in written]


if __name__ == "__main__":
    main(*sys.argv[1:])
