"""In development every refusal of the machines' endpoints says by which line of the specification (AZ-25)."""

from functools import cache

import httpx

from tests import specification

DECISIONS = ("/access/v1/evaluation", "/access/v1/evaluations")
ENDPOINTS = (
    "/o/token", "/o/introspect", "/o/revoke", "/o/invalidate", "/o/report", "/o/launch", "/o/userinfo", *DECISIONS,
    "/access/v1/gateway",
)  # fmt: skip
HEADER = "X-Smartauth-Reason"


@cache
def identifiers() -> frozenset[str]:
    """Every id of docs/specification."""
    return frozenset(line.identifier for line in specification.lines())


def rule_of(response: httpx.Response) -> str:
    """The rule that an answer names, "" for none."""
    return str(response.headers.get(HEADER, "")).partition(" ")[0]


def error_of(response: httpx.Response) -> dict[str, str]:
    """The error as it is told outside development too."""
    return {name: value for name, value in response.json().items() if name != "error_uri"}


def _is_denial(path: str, response: httpx.Response) -> bool:
    """An answer that is 200: a token is dead (RFC 7662 §2.2), or a decision denies (AuthZEN §5.5).

    Of many decisions those say why that deny for the token, which is the same for all.
    """
    if path not in DECISIONS or response.status_code != httpx.codes.OK:
        return response.content == b'{"active":false}'
    return response.json().get("decision") is False or b'"reason":"invalid_token"' in response.content


def assert_explained(path: str, response: httpx.Response) -> None:
    """A refusal names a rule that there is, in development and nowhere else; an answer names none."""
    from django.conf import settings

    refuses = response.status_code >= httpx.codes.BAD_REQUEST or _is_denial(path, response)
    if not settings.SMARTAUTH_DEV:
        assert HEADER not in response.headers
    elif path.partition("?")[0] in ENDPOINTS:
        assert (rule_of(response) in identifiers()) is refuses, response.headers.get(HEADER, "no reason")
