"""Looking into a resource, whatever somebody stored there."""

from typing import Any

import pytest

from smart.fhir.elements import elements_at, size


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"a": {"b": 1}}, [1]),
        ({"a": [{"b": 1}, {"b": [2, 3]}, {}, 7, {"b": {"c": 4}}]}, [1, 2, 3, {"c": 4}]),
        ([{"a": {"b": 1}}, {"a": [[{"b": 2}], {"b": 3}]}], [1, 2, 3]),
        ({"a": "b"}, []),
        ({"b": 1}, []),
        (None, []),
    ],
)
def test_lists_are_opened_on_the_way_in_their_order(content: Any, found: list[Any]) -> None:
    assert list(elements_at(content, ("a", "b"))) == found


def test_lists_in_lists_are_opened_however_deep() -> None:
    nested: Any = [{"b": 1}]
    for _ in range(10_000):
        nested = [nested]
    assert list(elements_at({"a": nested}, ("a", "b"))) == [1]
    assert size(nested) == 10_003


def test_a_size_counts_each_value_once() -> None:
    values: list[Any] = [None, [], {"a": 1}, {"a": [1, {"b": 2}]}]
    assert [size(value) for value in values] == [1, 1, 2, 5]
