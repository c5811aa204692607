"""A window of time has two ends: a clock that was set back opens a new one."""

import secrets

import pytest

from accounts.rate_limit import count, seconds_to_wait

NOW, SECOND = 1_800_000_000_000_000, 1_000_000
SKEW = 5 * SECOND

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.requirement("SD-20")]


@pytest.mark.parametrize(("back", "number"), [(SKEW, 2), (SKEW + 1, 1)])
def test_a_window_that_ends_later_than_one_that_begins_now_is_not_gone_on_with(back: int, number: int) -> None:
    name = secrets.token_hex(8)
    count("client", name, "192.0.2.9", now=NOW)

    assert count("client", name, "192.0.2.9", now=NOW - back).number == number


@pytest.mark.parametrize(("back", "waits"), [(0, True), (SKEW, True), (SKEW + 1, False)])
def test_nobody_is_paused_longer_than_a_window_lasts(back: int, waits: bool) -> None:
    name = secrets.token_hex(8)
    for _ in range(10):
        count("client", name, "192.0.2.9", now=NOW)

    assert (seconds_to_wait("client", name, "192.0.2.9", now=NOW - back) > 0) is waits
