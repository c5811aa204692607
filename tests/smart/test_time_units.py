"""Times between two bounds, and lengths of time in words."""

from datetime import UTC, datetime

import pytest

from smart.time_units import is_recent, more_time, to_datetime


@pytest.mark.parametrize(
    ("at", "recent"),
    [
        pytest.param(999_999_999, False, id="just before the first moment"),
        pytest.param(1_000_000_000, True, id="the first moment"),
        pytest.param(2_000_000_000, True, id="now"),
        pytest.param(2_005_000_000, True, id="as far ahead as clocks may differ"),
        pytest.param(2_005_000_001, False, id="in the future"),
    ],
)
def test_recent_is_neither_too_old_nor_in_the_future(at: int, recent: bool) -> None:
    assert is_recent(at, since=1_000_000_000, now=2_000_000_000) is recent


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 more seconds"), (1, "1 more second"), (59, "59 more seconds"), (60, "1 more minute"),
        (3599, "59 more minutes"), (3600, "1 more hour"), (86_400, "24 more hours"),
    ],
)  # fmt: skip
def test_how_much_longer_is_said_in_the_largest_unit_that_fits(seconds: int, words: str) -> None:
    assert more_time(seconds) == words


def test_a_moment_is_told_in_universal_time() -> None:
    found = to_datetime(1_717_200_001_500_000)

    assert found == datetime(2024, 6, 1, 0, 0, 1, 500_000, tzinfo=UTC)
    assert found.tzinfo is UTC
