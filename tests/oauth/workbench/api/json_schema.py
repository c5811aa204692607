"""What JSON Schema says of a value, as far as our OpenAPI description uses it; another keyword is an error."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

TYPES: Mapping[str, Any] = {"string": str, "integer": int, "object": dict, "array": list, "boolean": bool}
KEYWORDS = {
    "$ref", "additionalProperties", "anyOf", "description", "enum", "items", "maxItems", "maximum", "minItems",
    "minimum", "properties", "required", "type",
}  # fmt: skip


def problems(value: Any, schema: Mapping[str, Any], document: Mapping[str, Any], at: str = "") -> list[str]:
    """Where the value is not what the schema says."""
    assert set(schema) <= KEYWORDS, schema
    if "$ref" in schema:
        return problems(value, resolved(schema["$ref"], document), document, at)
    if "anyOf" in schema:
        found = [problems(value, one, document, at) for one in schema["anyOf"]]
        return min(found, key=len)
    expected = TYPES[schema["type"]]
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        return [f"{at}: {json.dumps(value)} is no {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at}: {value} is none of them"]
    if expected is dict:
        return list(_of_object(value, schema, document, at))
    if expected is list:
        items = [
            each for n, item in enumerate(value) for each in problems(item, schema["items"], document, f"{at}/{n}")
        ]
        return [*items, *_of_size(len(value), schema, at, "Items")]
    return list(_of_size(value, schema, at, "imum")) if expected is int else []


def resolved(reference: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stands at that place of the document."""
    found: Any = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    assert isinstance(found, dict)
    return found


def _of_object(value: Any, schema: Mapping[str, Any], document: Mapping[str, Any], at: str) -> Iterator[str]:
    known = schema.get("properties", {})
    yield from (f"{at}/{name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, member in value.items():
        rest = schema.get("additionalProperties", True)
        if name in known or isinstance(rest, dict):
            yield from problems(member, known.get(name, rest), document, f"{at}/{name}")
        elif not rest:
            yield f"{at}/{name} is unknown"


def _of_size(size: int, schema: Mapping[str, Any], at: str, suffix: str) -> Iterator[str]:
    if size < schema.get(f"min{suffix}", size) or size > schema.get(f"max{suffix}", size):
        yield f"{at}: {size} is too small or too large"
