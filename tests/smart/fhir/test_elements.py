"""Looking into a resource, whatever somebody stored there."""

from typing import Any

import pytest

from smart.fhir.elements import elements_at, reference_target, references, size


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


BASE = "https://fhir.example.org/r4"


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ({"reference": "Patient/amy"}, ("Patient", "amy")),
        ("Patient/amy", ("Patient", "amy")),
        (f"{BASE}/Patient/amy", ("Patient", "amy")),
        ({"reference": f"{BASE}/Patient/amy/_history/2"}, ("Patient", "amy")),
        (f"{BASE}Patient/amy", None),
        ("https://other.example.org/Patient/amy", None),
        ({"reference": 7}, None),
        ({"display": "Amy"}, None),
        (None, None),
        ("#amy", None),
    ],
)
def test_a_reference_leads_to_a_resource_of_this_base_or_nowhere(
    reference: Any, target: tuple[str, str] | None
) -> None:
    assert reference_target(reference, BASE) == target


def test_every_reference_is_found_wherever_it_stands() -> None:
    inner, outer = (
        {"reference": "Patient/b"},
        {"reference": "Patient/a", "identifier": {"assigner": {"reference": "c"}}},
    )
    content = [{"subject": outer}, {"part": [[inner], 7, {"display": "nobody"}]}, "reference", None]

    assert list(references(content)) == [outer, {"reference": "c"}, inner]
