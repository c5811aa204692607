"""Results of pure functions are remembered, but for long texts."""

from collections.abc import Callable
from typing import Any

import pytest

from smart.remembered import forget, forget_too, remembered, remembered_until_forgotten


class Refused(ValueError):
    """What the function below may say."""


def test_it_is_worked_out_once_for_the_same_arguments_by_place_or_name() -> None:
    asked: list[tuple[str, int]] = []

    @remembered
    def twice(text: str, number: int = 2) -> str:
        asked.append((text, number))
        return text * number

    assert [twice("ab"), twice("ab"), twice("ab", number=3), twice("ab", number=3)] == [
        "abab",
        "abab",
        "ababab",
        "ababab",
    ]
    assert asked == [("ab", 2), ("ab", 3)]


def test_a_refusal_is_worked_out_each_time() -> None:
    asked: list[str] = []

    @remembered
    def refuse(text: str) -> str:
        asked.append(text)
        raise Refused(text)

    for _ in range(2):
        with pytest.raises(Refused):
            refuse("ab")

    assert asked == ["ab", "ab"]


@pytest.mark.requirement("SD-20")
def test_of_long_texts_that_strangers_choose_nothing_is_kept() -> None:
    asked: list[int] = []

    @remembered
    def length(one: str, other: str) -> int:
        asked.append(len(one))
        return len(one) + len(other)

    assert [length("x", "y" * 2001) for _ in range(2)] == [2002, 2002]
    assert [length("x", other="y" * 2001) for _ in range(2)] == [2002, 2002]
    assert asked == [1] * 4


@pytest.mark.requirement("PR-07")
@pytest.mark.parametrize("remembering", [remembered, remembered_until_forgotten])
def test_what_was_forgotten_is_worked_out_again(remembering: Callable[[Callable[[str], str]], Any]) -> None:
    asked: list[str] = []

    @remembering
    def patient(text: str) -> str:
        asked.append(text)
        return text

    assert [patient("amy"), patient("amy"), *asked] == ["amy"] * 3
    forget()
    assert [patient("amy"), *asked] == ["amy"] * 3


@pytest.mark.requirement("PR-07")
def test_what_else_a_process_keeps_of_people_is_forgotten_at_the_same_time() -> None:
    known = {"subject": "amy"}
    forget_too(known.clear)

    forget()

    assert known == {}
