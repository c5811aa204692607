"""How long things live."""

import pytest

from smart.tokens.lifetimes import access_token_seconds, backend_token_seconds, ends_of_live_tokens, is_expired


@pytest.mark.requirement("SD-04")
@pytest.mark.parametrize(
    ("server", "client", "default", "bound", "expected"),
    [
        pytest.param(0, 0, 300, 3600, 300, id="nothing set: the default"),
        pytest.param(None, None, 300, 3600, 300, id="nothing known: the default"),
        pytest.param(600, 0, 300, 3600, 600, id="the server's"),
        pytest.param(0, 120, 300, 3600, 120, id="the client's"),
        pytest.param(600, 120, 300, 3600, 120, id="the shorter one"),
        pytest.param(60, 120, 300, 3600, 60, id="the shorter one, the other way"),
        pytest.param(7200, 9000, 300, 3600, 3600, id="never above the bound"),
        pytest.param(0, 0, 7200, 3600, 3600, id="nor does the default"),
        pytest.param(900, 0, 300, 600, 600, id="a lower bound holds"),
    ],
)
def test_the_shorter_life_wins_and_never_passes_the_bound(
    server: int | None, client: int | None, default: int, bound: int, expected: int
) -> None:
    assert access_token_seconds(server, client, default=default, bound=bound) == expected


@pytest.mark.requirement("TK-06")
@pytest.mark.parametrize(("configured", "expected"), [(0, 300), (60, 60), (3600, 300)])
def test_a_backends_token_lives_five_minutes_at_most(configured: int, expected: int) -> None:
    assert backend_token_seconds(configured, default=300, bound=3600) == expected


@pytest.mark.requirement("PR-08")
def test_alive_until_the_moment_of_expiry_and_dead_from_it_on() -> None:
    assert not is_expired(999, 1000)
    assert is_expired(1000, 1000)


def test_what_lives_expires_within_the_longest_life_by_a_clock_that_may_be_ahead() -> None:
    now = 1_000_000_000_000_000

    since, until = ends_of_live_tokens(now)

    assert since <= now + 1
    assert until == now + 3_605_000_000
