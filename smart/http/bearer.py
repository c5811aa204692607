"""Bearer tokens as requests carry them, and the challenge that answers one that is missing or no good (RFC 6750)."""

import re

MAX_TOKEN = 16_384

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def is_bearer_token(text: str) -> bool:
    """Whether it has the form of an access token (RFC 6750 §2.1)."""
    return len(text) <= MAX_TOKEN and _TOKEN.fullmatch(text) is not None


def bearer_credentials(authorization: str) -> str | None:
    """What an Authorization header presents as a bearer token, None where it uses another scheme (RFC 6750 §2.1).

    Two headers arrive joined by a comma, which no token holds: `is_bearer_token` refuses them like any bad one.
    """
    scheme, _, credentials = authorization.strip().partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else None


def bearer_challenge(realm: str, **parameters: str) -> str:
    """The value of WWW-Authenticate; no error where nothing was presented (RFC 6750 §3)."""
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in {"realm": realm, **parameters}.items())
