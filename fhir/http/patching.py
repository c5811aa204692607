"""JSON Patch on a resource that keeps its decimals (RFC 6902; FHIR http, patch)."""

from typing import Any

import jsonpatch
from jsonpointer import JsonPointer, JsonPointerException

from fhir.operation_outcome import BadRequest, RequestRefused, Unprocessable
from smart.fhir import json_text
from smart.http.limits import MAX_BATCH_BODY

MAX_OPERATIONS = 100
# these tell of what is there, or carry it to where somebody may read it (WR-07)
_READING = frozenset({"test", "copy", "move"})


def patched(text: str, patch: str, *, may_read: bool) -> str:
    """The resource after the patch. Raises BadRequest for what is none, Unprocessable where it does not apply."""
    operations = json_text.loads(patch)
    if not isinstance(operations, list) or not 0 < len(operations) <= MAX_OPERATIONS:
        raise BadRequest(f"A patch is a list of 1 to {MAX_OPERATIONS} operations.")
    if not all(_is_operation(one) for one in operations):
        raise BadRequest("An operation of the patch is none of RFC 6902.")
    if not may_read and any(one["op"] in _READING for one in operations):
        raise RequestRefused("Without the right to read, a patch may add, replace and remove.")
    try:
        return json_text.dumps(_apply(json_text.loads(text), operations))
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, ValueError, RecursionError, LookupError):
        raise Unprocessable("The patch does not apply to the resource.") from None


def _apply(content: Any, operations: list[dict[str, Any]]) -> dict[str, Any]:
    """One after the other, as copies may double what is there. Raises ValueError for what is no object, or too large.

    All copies of a patch carry no more than a request may hold, so that its work has a bound.
    """
    room = MAX_BATCH_BODY
    for operation in operations:
        if operation["op"] == "copy":
            room -= _length(JsonPointer(operation["from"]).resolve(content))
            if room < 0:
                raise ValueError
        content = jsonpatch.apply_patch(content, [operation], in_place=True)
    if not isinstance(content, dict) or _length(content) > MAX_BATCH_BODY:
        raise ValueError
    return content


def _length(value: Any) -> int:
    """Of its JSON without spaces and escapes, in characters, so that no script counts for more than another."""
    if isinstance(value, dict):
        return 1 + sum(len(name) + 4 + _length(item) for name, item in value.items()) + (not value)
    if isinstance(value, list):
        return 1 + sum(1 + _length(item) for item in value) + (not value)
    return len(value) + 2 if isinstance(value, str) else len(str(value))


def _is_operation(operation: Any) -> bool:
    return (
        isinstance(operation, dict) and isinstance(operation.get("op"), str) and isinstance(operation.get("path"), str)
    )
