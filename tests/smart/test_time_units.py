"""Times between two bounds."""

import pytest

from smart.time_units import is_recent


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
