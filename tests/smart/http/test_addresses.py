"""Where a request comes from."""

import pytest

from smart.http.addresses import PrefixLengths, caller_address, caller_network, is_same_address, normalize


@pytest.mark.requirement("PR-04")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("192.0.2.007", ""),
        ("localhost", ""),
        ("", ""),
        ("1", ""),
        ("\0", ""),
    ],
    ids=repr,
)
def test_an_address_has_one_spelling(text: str, expected: str) -> None:
    assert normalize(text) == expected


@pytest.mark.requirement("PR-04")
@pytest.mark.parametrize(
    ("one", "other", "ipv4_prefix", "expected"),
    [
        ("192.0.2.7", "192.0.2.7", 32, True),
        ("192.0.2.7", "::ffff:192.0.2.7", 32, True),
        ("192.0.2.7", "192.0.2.8", 32, False),
        ("192.0.2.7", "192.0.2.200", 24, True),
        ("192.0.2.7", "192.0.3.7", 24, False),
        ("2001:db8::1", "2001:db8::ffff", 32, True),
        ("2001:db8::1", "2001:db8:0:1::1", 32, False),
        ("192.0.2.7", "2001:db8::1", 24, False),
        ("", "", 32, False),
        ("x", "x", 32, False),
        ("192.0.2.7", "", 32, False),
    ],
)
def test_addresses_are_compared_by_prefix(one: str, other: str, ipv4_prefix: int, expected: bool) -> None:
    assert is_same_address(one, other, PrefixLengths(ipv4=ipv4_prefix)) is expected
    assert is_same_address(other, one, PrefixLengths(ipv4=ipv4_prefix)) is expected


@pytest.mark.requirement("PR-04")
@pytest.mark.parametrize(("bits", "expected"), [(48, True), (64, False), (128, False)])
def test_how_much_of_an_ipv6_address_counts_can_be_set(bits: int, expected: bool) -> None:
    assert is_same_address("2001:db8:0:1::1", "2001:db8:0:2::1", PrefixLengths(ipv6=bits)) is expected


@pytest.mark.requirement("PR-05", "TV-26")
@pytest.mark.parametrize(
    ("forwarded", "trusted", "expected"),
    [
        pytest.param("", 0, "10.0.0.1", id="no proxy"),
        pytest.param("198.51.100.9", 0, "10.0.0.1", id="spoofed, no proxy is trusted"),
        pytest.param("192.0.2.7", 1, "192.0.2.7", id="one proxy"),
        pytest.param("198.51.100.9, 192.0.2.7", 1, "192.0.2.7", id="spoofed through one proxy"),
        pytest.param("198.51.100.9, 192.0.2.7, 10.0.0.2", 2, "192.0.2.7", id="spoofed through two proxies"),
        pytest.param("192.0.2.7", 2, "10.0.0.1", id="fewer entries than proxies"),
        pytest.param("", 1, "10.0.0.1", id="the proxy was passed by"),
        pytest.param("unknown", 1, "10.0.0.1", id="no address"),
        pytest.param("192.0.2.7:4711", 1, "192.0.2.7", id="with a port"),
        pytest.param("[2001:db8::1]:4711", 1, "2001:db8::1", id="IPv6 with a port"),
        pytest.param("2001:db8::1", 1, "2001:db8::1", id="IPv6"),
        pytest.param(",, 192.0.2.7 ,", 1, "192.0.2.7", id="odd commas"),
        pytest.param("192.0.2.7", -1, "10.0.0.1", id="a nonsensical setting trusts nobody"),
    ],
)
def test_only_what_trusted_proxies_wrote_is_believed(forwarded: str, trusted: int, expected: str) -> None:
    assert caller_address("::ffff:10.0.0.1", forwarded, trusted) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1::7", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:ffff::7", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::7", "2001:db8:0:2::/64"),
        ("", ""),
    ],
)
def test_all_addresses_of_one_ipv6_network_are_one_callers(text: str, expected: str) -> None:
    assert caller_network(text) == expected
