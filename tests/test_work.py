"""Work that is counted is the same each time, and grows by what is added."""

import re
import sys

import pytest

from tests.work import LINEAR, growth, work_of

pytestmark = pytest.mark.one_engine


def find(times: int) -> None:
    for _ in range(times):
        "abc".find("c")


def test_each_call_counts_with_the_length_of_the_text_that_it_looks_at() -> None:
    few, many = work_of(lambda: find(10)), work_of(lambda: find(30))

    assert (many.calls - few.calls, many.characters - few.characters) == (20, 60)
    assert work_of(lambda: find(10)) == few


def test_what_fails_is_counted_no_further_and_fails() -> None:
    before = sys.getprofile()

    with pytest.raises(ZeroDivisionError):
        work_of(lambda: 1 // 0)

    assert sys.getprofile() is before


def test_what_looks_at_a_text_once_grows_with_it() -> None:
    assert growth(lambda text: text.split(","), "a,") < LINEAR
    assert growth(re.compile(r"\w+").findall, "a ") < LINEAR


def test_what_looks_at_all_that_is_left_from_each_place_is_seen_in_a_regular_expression_too() -> None:
    assert growth(re.compile(r'(\w+)="(.*?)";').findall, 'a="', length=600) > LINEAR
    assert growth(re.compile("a*b").search, "a", length=600) > LINEAR
