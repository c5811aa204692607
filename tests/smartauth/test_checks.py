"""What must not start."""

from typing import Any

import pytest
from django.core.checks import Tags, run_checks

from smart.http.addresses import PrefixLengths

SAFE = {
    "SMARTAUTH_ISSUER": "https://auth.example.org",
    "SMARTAUTH_DEV": False,
    "SMARTAUTH_SECRETS_FROM_ENVIRONMENT": True,
    "SMARTAUTH_ACCESS_TOKEN_SECONDS": 300,
    "SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS": 3600,
    "SMARTAUTH_CODE_SECONDS": 60,
}
LOOPBACK = {"SMARTAUTH_ISSUER": "http://127.0.0.1:8000", "SMARTAUTH_DEV": True}


def found(settings: Any, **changes: Any) -> set[str]:
    """The ids of our own checks that fail with these settings."""
    for name, value in {**SAFE, **changes}.items():
        setattr(settings, name, value)
    ids = {str(message.id) for message in run_checks(tags=[Tags.security])}
    return {name for name in ids if name.startswith("smartauth.")}


def test_a_server_with_https_and_secrets_of_its_own_starts(settings: Any) -> None:
    assert found(settings) == set()


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:8000", "http://localhost:9000", "http://[::1]:8000"])
def test_development_starts_on_loopback_without_any_setting(settings: Any, issuer: str) -> None:
    changes = {**LOOPBACK, "SMARTAUTH_ISSUER": issuer, "SMARTAUTH_SECRETS_FROM_ENVIRONMENT": False}

    assert found(settings, **changes) == set()


def test_an_issuer_that_is_no_web_address_is_refused(settings: Any) -> None:
    assert "smartauth.E001" in found(settings, SMARTAUTH_ISSUER="auth.example.org")
    assert "smartauth.E001" in found(settings, SMARTAUTH_ISSUER="ftp://127.0.0.1")


@pytest.mark.requirement("DS-24", "SD-04", "AZ-17")
@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        pytest.param({"SMARTAUTH_ISSUER": "https://"}, "smartauth.E001", id="issuer without host"),
        pytest.param({"SMARTAUTH_ISSUER": "https://auth.example.org?a=b"}, "smartauth.E001", id="issuer with query"),
        pytest.param({"SMARTAUTH_ISSUER": "https://auth.example.org/"}, "smartauth.E002", id="issuer ends in a slash"),
        pytest.param({"SMARTAUTH_ISSUER": "https://auth.example.org/x"}, "smartauth.E002", id="issuer with a path"),
        pytest.param({"SMARTAUTH_ISSUER": "http://auth.example.org"}, "smartauth.E003", id="http outside loopback"),
        pytest.param({"SMARTAUTH_DEV": True}, "smartauth.E004", id="development outside loopback"),
        pytest.param({"SMARTAUTH_SECRETS_FROM_ENVIRONMENT": False}, "smartauth.E005", id="drawn secrets"),
        pytest.param({"SMARTAUTH_ACCESS_TOKEN_SECONDS": 0}, "smartauth.E006", id="tokens without life"),
        pytest.param({"SMARTAUTH_ACCESS_TOKEN_SECONDS": 3601}, "smartauth.E006", id="tokens above the maximum"),
        pytest.param({"SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS": 7200}, "smartauth.E006", id="a maximum above an hour"),
        pytest.param({"SMARTAUTH_REFUSALS_LOCK": "for ever"}, "smartauth.E014", id="an unknown lock"),
        pytest.param({"SMARTAUTH_REFUSALS_WINDOW_SECONDS": 0}, "smartauth.E014", id="a window of no time"),
        pytest.param({"SMARTAUTH_ADDRESS_PREFIXES": PrefixLengths(0, 64)}, "smartauth.E016", id="no bits of IPv4"),
        pytest.param(
            {"SMARTAUTH_ADDRESS_PREFIXES": PrefixLengths(32, 129)}, "smartauth.E016", id="more bits than IPv6 has"
        ),
        pytest.param({"SMARTAUTH_ADDRESS_DAYS": 0}, "smartauth.E015", id="addresses for no day"),
        pytest.param({"SMARTAUTH_CODE_SECONDS": 0}, "smartauth.E007", id="codes without life"),
        pytest.param({"SMARTAUTH_CODE_SECONDS": 601}, "smartauth.E007", id="codes above ten minutes"),
    ],
)
def test_what_is_unsafe_is_refused_by_name(settings: Any, changes: dict[str, Any], refusal: str) -> None:
    assert found(settings, **changes) == {refusal}


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        pytest.param({"SMARTAUTH_KEY_ENCRYPTION_KEYS": ["secret"]}, "smartauth.E011", id="no Fernet key"),
        pytest.param({"SMARTAUTH_KEY_ROTATION_DAYS": -1}, "smartauth.E012", id="negative days"),
        pytest.param({"SMARTAUTH_KEY_ANNOUNCED_SECONDS": 59}, "smartauth.E013", id="signs before it is fetched"),
    ],
)
def test_keys_that_cannot_be_used_and_hasty_rotation_are_refused(
    settings: Any, changes: dict[str, Any], check: str
) -> None:
    assert found(settings, **changes) == {check}


@pytest.mark.requirement("RF-05", "RF-08")
@pytest.mark.parametrize(
    ("name", "value", "check"),
    [
        pytest.param("SMARTAUTH_REFRESH_IDLE_SECONDS", 0, "smartauth.E008", id="no time to refresh"),
        pytest.param("SMARTAUTH_REFRESH_TOKEN_SECONDS", 0, "smartauth.E008", id="no time in a browser"),
        pytest.param("SMARTAUTH_REFRESH_GRACE_SECONDS", 31, "smartauth.E009", id="grace too long"),
        pytest.param("SMARTAUTH_REFRESH_GRACE_SECONDS", -1, "smartauth.E009", id="grace negative"),
    ],
)
def test_refresh_limits_have_bounds(settings: Any, name: str, value: int, check: str) -> None:
    assert found(settings, **{name: value}) == {check}
