"""Writes what smart/ and fhir/ know of FHIR's versions, from the packages in which they are published.

    .ci/definitions.py FOLDER [VERSION ...]

FOLDER holds the packages; smart/fhir/definitions/README.md says which, and how they are got.
"""

import json
import sys
from pathlib import Path

from fhir_packages.search_parameters import definitions
from fhir_packages.sources import SOURCES, read

ROOT = Path(__file__).resolve().parent.parent


def main(folder: str, *versions: str) -> None:
    """Reads the packages and writes the files of each version."""
    for version in versions or SOURCES:
        package = read(version, Path(folder))
        types = json.dumps({"resource_types": package.resource_types()}, indent=2)
        (ROOT / f"smart/fhir/versions/{version}.json").write_text(f"{types}\n", encoding="utf-8")
        rows = definitions(package).items()
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row, separators=(', ', ': '))}" for name, row in rows)
        (ROOT / f"smart/fhir/definitions/{version}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
