"""Looking into a resource: the elements at a path, and where a reference points."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from smart.fhir.id import split_reference

Json: TypeAlias = Any  # a resource is whatever JSON somebody stored


def elements_at(content: Json, path: tuple[str, ...]) -> Iterator[Json]:
    """Every element that the path leads to, lists opened on the way, in time that grows with their length alone."""
    found = [content]
    for name in path:
        found = [element[name] for element in _opened(found) if isinstance(element, dict) and name in element]
    yield from _opened(found)


def _opened(elements: list[Json]) -> Iterator[Json]:
    """Those that are no lists, and what stands in those that are, however deep it is nested."""
    waiting = elements[::-1]
    while waiting:
        element = waiting.pop()
        if isinstance(element, list):
            waiting.extend(reversed(element))
        else:
            yield element


def size(content: Json) -> int:
    """How many values it holds, at any depth."""
    count, waiting = 0, [content]
    while waiting:
        element = waiting.pop()
        count += 1
        if isinstance(element, dict):
            waiting.extend(element.values())
        elif isinstance(element, list):
            waiting.extend(element)
    return count


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
