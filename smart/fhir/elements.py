"""Looking into a resource: the elements at a path, and where a reference points."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from smart.fhir.id import split_reference

Json: TypeAlias = Any  # a resource is whatever JSON somebody stored


def elements_at(content: Json, path: tuple[str, ...]) -> Iterator[Json]:
    """Every element that the path leads to, lists opened on the way."""
    if isinstance(content, list):
        for item in content:
            yield from elements_at(item, path)
    elif not path:
        yield content
    elif isinstance(content, dict) and path[0] in content:
        yield from elements_at(content[path[0]], path[1:])


def reference_target(reference: Json, base: str) -> tuple[str, str] | None:
    """Type and id that a Reference, or its text, names on this base; None for whatever is not a resource here."""
    text = reference.get("reference") if isinstance(reference, dict) else reference
    return split_reference(text.removeprefix(f"{base}/")) if isinstance(text, str) else None


def references(content: Json) -> Iterator[Json]:
    """Every Reference element anywhere in the resource."""
    if isinstance(content, list):
        for item in content:
            yield from references(item)
    elif isinstance(content, dict):
        if "reference" in content:
            yield content
        for value in content.values():
            yield from references(value)
