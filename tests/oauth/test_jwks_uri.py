"""Which JWKS URLs are asked: https, public addresses, and the very address that was judged."""

from typing import Any

import pytest

from oauth import jwks_uri


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "0.0.0.0", "224.0.0.1", "100.64.0.1", "localhost",
     "[::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "2130706433"],
)  # fmt: skip
def test_an_address_inside_is_not_asked_outside_development(host: str, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False

    with pytest.raises(jwks_uri.Unfetchable, match="not public"):
        jwks_uri.checked(f"https://{host}/jwks")


@pytest.mark.parametrize(
    "address", ["http://keys.example.org/", "http://127.0.0.1/", "ftp://x/", "https://[", "https://a b/"]
)
@pytest.mark.requirement("RG-06")
def test_an_address_that_cannot_be_registered_is_not_fetched_either(address: str, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False

    with pytest.raises(jwks_uri.Unfetchable):
        jwks_uri.checked(address)


def test_a_name_that_does_not_resolve_is_a_plain_sentence() -> None:
    with pytest.raises(jwks_uri.Unfetchable, match="could not be fetched"):
        jwks_uri.checked("https://nobody.invalid/jwks")


def test_a_port_where_nobody_listens_is_a_plain_sentence() -> None:
    with pytest.raises(jwks_uri.Unfetchable, match="could not be fetched: ConnectError"):
        jwks_uri.checked("http://127.0.0.1:9/jwks")
