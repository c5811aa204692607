"""JSON Patch on a resource that keeps its decimals (RFC 6902; FHIR http, patch)."""

from typing import Any

import jsonpatch
from jsonpointer import JsonPointerException

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
        found = _applied(json_text.loads(text), operations)
        return _bounded(json_text.dumps(found) if isinstance(found, dict) else "")
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, ValueError, RecursionError, LookupError):
        raise Unprocessable("The patch does not apply to the resource.") from None


def _applied(content: Any, operations: list[dict[str, Any]]) -> Any:
    """One operation after the other: of copies each may double what is there, so that each is measured."""
    for operation in operations:
        content = jsonpatch.apply_patch(content, [operation], in_place=True)
        if operation["op"] == "copy":
            _bounded(json_text.dumps(content))
    return content


def _bounded(text: str) -> str:
    """The text of an object. Raises ValueError for what is none, or is larger than any that can be sent."""
    if not 0 < len(text) <= MAX_BATCH_BODY:
        raise ValueError
    return text


def _is_operation(operation: Any) -> bool:
    return (
        isinstance(operation, dict) and isinstance(operation.get("op"), str) and isinstance(operation.get("path"), str)
    )
