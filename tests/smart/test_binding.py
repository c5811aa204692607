"""The address rules as tables (PR-03, PR-04)."""

import pytest

from smart.binding import moved, stricter


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
    assert stricter(server, client) == holds


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
    assert moved(bound, address) is expected
