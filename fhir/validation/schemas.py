"""The JSON Schemas of each FHIR version (.ci/definitions.py writes them), compiled when a type is first judged."""

import gzip
import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

import jsonschema_rs

FOLDER = Path(__file__).parent / "schemas"
MOST_COMPILED = 16  # types: one takes about a megabyte
_REFERENCE = re.compile(r'"#/definitions/([^"]+)"')


@cache
def definitions(fhir_version: str) -> Mapping[str, str]:
    """The text of each definition by its name; raises FileNotFoundError where the version has none here."""
    packed = (FOLDER / f"{fhir_version}.jsonl.gz").read_bytes()
    rows = (line.split(": ", 1) for line in gzip.decompress(packed).decode().splitlines())
    return {json.loads(name): schema for name, schema in rows}


@lru_cache(maxsize=MOST_COMPILED)
def validator(fhir_version: str, name: str) -> jsonschema_rs.Validator:
    """What judges that type, with nothing but the definitions that it needs."""
    known, needed, waiting = definitions(fhir_version), dict[str, str](), [name]
    while waiting:
        if (one := waiting.pop()) not in needed:
            needed[one] = known[one]
            waiting += _REFERENCE.findall(known[one])
    parts = ",".join(f"{json.dumps(one)}:{schema}" for one, schema in needed.items())
    schema = json.loads(f'{{"$ref":{json.dumps(f"#/definitions/{name}")},"definitions":{{{parts}}}}}')
    return jsonschema_rs.Draft7Validator(schema)
