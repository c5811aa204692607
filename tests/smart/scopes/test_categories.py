"""Kinds of records within a type, and which restrictions of a scope can be evaluated."""

import pytest

from smart.scopes.categories import categories, category_values, code_of, is_evaluable
from smart.scopes.scope import Scope, parse_query

SYSTEM = "http://terminology.hl7.org/CodeSystem/observation-category"


def test_the_code_stands_behind_the_last_bar() -> None:
    assert [code_of(value) for value in ("http://x|1", "http://x|y|1", "1")] == ["1", "1", "1"]


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("category=http://x|1", ("http://x|1",)),
        ("category=http://x|1,http://x|2", ("http://x|1", "http://x|2")),
        ("code=http://x|1", ()),
        ("category=http://x|1&code=http://x|2", ()),
        ("category=http://x|1&category=http://x|2", ()),
    ],
)
def test_only_a_restriction_to_categories_alone_is_one_of_kinds(query: str, values: tuple[str, ...]) -> None:
    assert category_values(parse_query(query)) == values
    assert category_values(()) == ()


def test_a_type_is_divided_in_the_versions_that_name_its_kinds() -> None:
    assert f"{SYSTEM}|laboratory" in categories("r4", "Observation")
    assert categories("r4", "Goal") == categories("none", "Observation") == ()


@pytest.mark.requirement("SCP-10", "SCP-11")
@pytest.mark.parametrize(
    ("name", "evaluable"),
    [
        ("patient/Observation.rs", True),
        ("patient/Observation.rs?category=http://x|1", True),
        ("patient/Condition.rs?code=http://x|1,http://x|2&category=http://x|3", True),
        ("patient/Observation.rs?code=http://x|y|1", True),
        ("patient/Goal.rs?category=http://x|1", False),
        ("patient/Observation.rs?status=http://x|1", False),
        ("patient/Observation.rs?code=http://x|1&status=http://x|1", False),
        ("patient/Observation.rs?code=1", False),
        ("patient/Observation.rs?code=|1", False),
        ("patient/Observation.rs?code=http://x|", False),
        ("patient/Observation.rs?code=http://x||", False),
        ("patient/Observation.rs?code=http://x|1,2", False),
        ("patient/Observation.rs?code=http://x|a%20b", False),
        ("patient/Observation.rs?code=http://x%09y|1", False),
        ("patient/Observation.rs?code=http://x|a%5C,b", False),
    ],
)
def test_each_value_is_a_system_and_a_code_without_a_blank(name: str, evaluable: bool) -> None:
    assert is_evaluable(Scope.parse(name)) is evaluable
