"""From what happened to a resource: the form stands in the version's data (fhir/versions), the facts are put into it.

`"$name"` is a fact and `"$.name"` a member of the item at hand; `{"$each": "name", "$as": ...}` in a list stands for
one for each item; an object with `"$needs"` is there only with that fact. What is empty is left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Facts: TypeAlias = Mapping[str, Any]


def fill(form: Any, facts: Facts, item: Facts | None = None) -> Any:
    """The form with the facts in place."""
    match form:
        case str():
            return _fact(form, facts, item or {}) if form.startswith("$") else form
        case list():
            return [part for part in _items(form, facts, item) if not _is_empty(part)]
        case dict():
            return _members(form, facts, item)
        case _:
            return form


def _members(form: Mapping[str, Any], facts: Facts, item: Facts | None) -> dict[str, Any]:
    if "$needs" in form and _is_empty(fill(form["$needs"], facts, item)):
        return {}
    filled = {name: fill(value, facts, item) for name, value in form.items() if name != "$needs"}
    return {name: value for name, value in filled.items() if not _is_empty(value)}


def _items(form: list[Any], facts: Facts, item: Facts | None) -> Iterator[Any]:
    for part in form:
        if isinstance(part, dict) and "$each" in part:
            yield from (fill(part["$as"], facts, one) for one in facts[part["$each"]])
        else:
            yield fill(part, facts, item)


def _fact(name: str, facts: Facts, item: Facts) -> Any:
    return item[name[2:]] if name.startswith("$.") else facts[name[1:]]


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
