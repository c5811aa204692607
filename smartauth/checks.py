"""What must not start: settings that are unsafe outside development."""

from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Errors for an issuer, lifetime or secret that would weaken a real server (SD-01, SB-07, DS-24)."""
    issuer = urlsplit(settings.SMARTAUTH_ISSUER)
    on_loopback = issuer.hostname in {"127.0.0.1", "localhost", "::1"}
    found: list[CheckMessage] = []
    if issuer.scheme not in {"http", "https"} or not issuer.hostname or issuer.query or issuer.fragment:
        found.append(Error("SMARTAUTH_ISSUER must be an absolute http(s) URL.", id="smartauth.E001"))
    if issuer.path:
        found.append(Error("SMARTAUTH_ISSUER must have no path and no slash at its end.", id="smartauth.E002"))
    if issuer.scheme != "https" and not on_loopback:
        found.append(Error("SMARTAUTH_ISSUER must be https outside loopback.", id="smartauth.E003"))
    if settings.SMARTAUTH_DEV and not on_loopback:
        found.append(Error("SMARTAUTH_DEV is for loopback only: its passwords are public.", id="smartauth.E004"))
    if not settings.SMARTAUTH_DEV and not settings.SMARTAUTH_SECRETS_FROM_ENVIRONMENT:
        found.append(
            Error(
                "Outside development SMARTAUTH_SECRET_KEY and SMARTAUTH_KEY_ENCRYPTION_KEYS must be set.",
                hint="Draw each with: python -c 'from cryptography.fernet import Fernet; "
                "print(Fernet.generate_key().decode())'",
                id="smartauth.E005",
            )
        )
    if not 0 < settings.SMARTAUTH_ACCESS_TOKEN_SECONDS <= settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS <= 3600:
        found.append(Error("Access tokens live at least 1 and at most 3600 seconds (SD-04).", id="smartauth.E006"))
    if not 0 < settings.SMARTAUTH_CODE_SECONDS <= 600:
        found.append(Error("Codes live at least 1 and at most 600 seconds (AZ-17).", id="smartauth.E007"))
    if settings.SMARTAUTH_REFRESH_IDLE_SECONDS < 1 or settings.SMARTAUTH_REFRESH_TOKEN_SECONDS < 1:
        found.append(Error("Refresh tokens live at least 1 second.", id="smartauth.E008"))
    if not 0 <= settings.SMARTAUTH_REFRESH_GRACE_SECONDS <= 30:
        found.append(Error("A refresh token may be repeated for at most 30 seconds (RF-05).", id="smartauth.E009"))
    if settings.SMARTAUTH_REFUSALS_LOCK not in {"", "login"} or settings.SMARTAUTH_REFUSALS_WINDOW_SECONDS < 1:
        found.append(
            Error("SMARTAUTH_REFUSALS_LOCK is login or nothing, the window 1 second or more.", id="smartauth.E014")
        )
    if settings.SMARTAUTH_ADDRESS_DAYS < 1:
        found.append(Error("Addresses are kept for 1 day at least, longer than a session.", id="smartauth.E015"))
    if not (
        1 <= settings.SMARTAUTH_ADDRESS_PREFIXES.ipv4 <= 32 and 1 <= settings.SMARTAUTH_ADDRESS_PREFIXES.ipv6 <= 128
    ):
        found.append(Error("Addresses are compared by 1 to 32 bits, of IPv6 by 1 to 128.", id="smartauth.E016"))
    if "*" in settings.ALLOWED_HOSTS:
        found.append(Error("SMARTAUTH_ALLOWED_HOSTS must name hosts, not everything.", id="smartauth.E010"))
    return found


@register(Tags.security)
def check_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Errors for key-encryption keys that are none, and for a rotation that breaks who keeps a copy of the JWKS."""
    found: list[CheckMessage] = []
    if not all(map(_is_fernet_key, settings.SMARTAUTH_KEY_ENCRYPTION_KEYS)):
        found.append(Error("SMARTAUTH_KEY_ENCRYPTION_KEYS must be Fernet keys.", id="smartauth.E011"))
    if settings.SMARTAUTH_KEY_ROTATION_DAYS < 0:
        found.append(Error("SMARTAUTH_KEY_ROTATION_DAYS must be 0 (never) or more.", id="smartauth.E012"))
    announced = settings.SMARTAUTH_KEY_ANNOUNCED_SECONDS
    if announced < (0 if settings.SMARTAUTH_DEV else 60):
        found.append(Error("A key must be published for 60 seconds at least before it signs.", id="smartauth.E013"))
    return found


def _is_fernet_key(text: str) -> bool:
    try:
        Fernet(text)
    except ValueError:
        return False
    return True
