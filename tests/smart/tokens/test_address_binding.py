"""The address rules as tables (PR-03, PR-04)."""

import pytest

from smart.http.addresses import PrefixLengths
from smart.tokens.address_binding import BLOCK, END, OFF, differs, login_needed_after, policy_for_use, strictest_policy


@pytest.mark.requirement("PR-03")
@pytest.mark.parametrize(
    ("server", "client", "holds"),
    [
        ("off", "off", "off"),
        ("flag", "off", "flag"),
        ("off", "flag", "flag"),
        ("flag", "block", "block"),
        ("block", "off", "block"),
        ("flag", "", "flag"),
        ("", "", "off"),
    ],
)
def test_the_stricter_policy_holds(server: str, client: str, holds: str) -> None:
    assert strictest_policy(server, client) == holds


@pytest.mark.requirement("PR-04")
@pytest.mark.parametrize(
    ("bound", "address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1", False),
        ("192.0.2.1", "192.0.2.2", True),
        ("192.0.2.1", "::ffff:192.0.2.1", False),
        ("2001:db8::1", "2001:db8::ffff", False),
        ("2001:db8::1", "2001:db8:0:1::1", True),
        ("192.0.2.1", "2001:db8::1", True),
        ("", "192.0.2.1", False),
        ("192.0.2.1", "", False),
    ],
)
def test_a_token_has_moved_when_its_network_is_another(bound: str, address: str, expected: bool) -> None:
    assert differs(bound, address) is expected


@pytest.mark.requirement("PR-04")
def test_within_the_network_that_counts_nothing_has_moved() -> None:
    assert policy_for_use(BLOCK, "192.0.2.1", "192.0.2.200", PrefixLengths(ipv4=24)) == OFF
    assert policy_for_use(BLOCK, "192.0.2.1", "192.0.3.1", PrefixLengths(ipv4=24)) == BLOCK


@pytest.mark.requirement("PR-06")
@pytest.mark.parametrize("policy", ["off", "flag", "block", "end"])
def test_a_use_meets_the_policy_only_where_it_has_moved(policy: str) -> None:
    assert policy_for_use(policy, "192.0.2.1", "192.0.2.1") == OFF
    assert policy_for_use(policy, "", "192.0.2.1") == OFF
    assert policy_for_use(policy, "192.0.2.1", "192.0.2.2") == policy


@pytest.mark.requirement("PR-03")
def test_of_all_policies_ending_is_the_strictest() -> None:
    assert strictest_policy("end", "block") == strictest_policy("flag", "end") == END


@pytest.mark.requirement("SD-06")
@pytest.mark.parametrize(
    ("login_after", "blocked_at", "asked_at", "needed_after"),
    [
        pytest.param(0, 0, 50, 0, id="nothing happened"),
        pytest.param(0, 10, 50, 10, id="stopped before the request: a login since then"),
        pytest.param(0, 70, 50, 50, id="stopped while it waits: a login for this very request"),
        pytest.param(20, 10, 50, 20, id="locked later than stopped"),
        pytest.param(70, 10, 50, 70, id="locked while it waits: a login after the lock, and no other"),
    ],
)
def test_how_new_a_login_must_be(login_after: int, blocked_at: int, asked_at: int, needed_after: int) -> None:
    found = login_needed_after(login_after=login_after, blocked_at=blocked_at, asked_at=asked_at)

    assert found == needed_after
