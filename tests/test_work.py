"""Work that is counted is the same each time, and grows by what is added."""

import sys

import pytest

from tests.work import work_of

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
