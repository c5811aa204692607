"""Refusals that a client may read, one class a wire code (RFC 6749 §4.1.2.1, §5.2; RFC 6750 §3.1; RFC 7009 §2.2.1)."""

from http import HTTPStatus
from typing import ClassVar, Unpack

from smart.explanation import Explanation, Why, build_explanation
from smart.http.bearer import bearer_challenge

REALM = "smartauth"

_UNSPEAKABLE = str.maketrans({'"': "'", "\\": "/"})


class OAuthError(Exception):
    """A refusal the client may read. `event_reason` goes to the trail, and with `why` to explanations, never to the
    client."""

    code: ClassVar[str]
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, description: str = "", *, event_reason: str = "", **why: Unpack[Why]) -> None:
        super().__init__(event_reason or description or self.code)
        self.description = safe_description(description)
        self.event_reason = event_reason
        self.why = why

    @property
    def explanation(self) -> Explanation:
        """Which rule refused, for developers and operators; the rule is "" where nobody named one."""
        return build_explanation(self.event_reason or self.description or self.code, self.why)


def safe_description(text: str) -> str:
    """The text in the characters that RFC 6749 §5.2 allows in error_description."""
    return "".join(c if " " <= c <= "~" else "?" for c in text.translate(_UNSPEAKABLE))


class InvalidRequest(OAuthError):
    code = "invalid_request"


class InvalidClient(OAuthError):
    code = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": 'Basic realm="smartauth"'}


class InvalidToken(OAuthError):
    """An access token that opens nothing (RFC 6750 §3.1)."""

    code = "invalid_token"
    status = HTTPStatus.UNAUTHORIZED
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": bearer_challenge(REALM, error="invalid_token")}


class InsufficientScope(OAuthError):
    """A good access token without the scope for this (RFC 6750 §3.1)."""

    code = "insufficient_scope"
    status = HTTPStatus.FORBIDDEN
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": bearer_challenge(REALM, error="insufficient_scope")}


class InvalidGrant(OAuthError):
    code = "invalid_grant"


class UnauthorizedClient(OAuthError):
    code = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    code = "unsupported_grant_type"


class UnsupportedTokenType(OAuthError):
    code = "unsupported_token_type"


class UnsupportedResponseType(OAuthError):
    code = "unsupported_response_type"


class InvalidScope(OAuthError):
    code = "invalid_scope"


class InvalidTarget(OAuthError):
    code = "invalid_target"


class AccessDenied(OAuthError):
    code = "access_denied"


class LoginRequired(OAuthError):
    code = "login_required"


class ConsentRequired(OAuthError):
    code = "consent_required"


class AccountSelectionRequired(OAuthError):
    code = "account_selection_required"


class InteractionRequired(OAuthError):
    code = "interaction_required"


class RequestNotSupported(OAuthError):
    code = "request_not_supported"


class RequestUriNotSupported(OAuthError):
    code = "request_uri_not_supported"


class RegistrationNotSupported(OAuthError):
    code = "registration_not_supported"


class ServerError(OAuthError):
    code = "server_error"
    status = HTTPStatus.INTERNAL_SERVER_ERROR


class TemporarilyUnavailable(OAuthError):
    code = "temporarily_unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers: ClassVar[dict[str, str]] = {"Retry-After": "5"}


class TooManyRequests(OAuthError):
    """More failures than the limit allows; the client may come back after `retry_after` seconds (RFC 6585 §4)."""

    code = "temporarily_unavailable"
    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, description: str = "", *, retry_after: int, event_reason: str = "", **why: Unpack[Why]) -> None:
        super().__init__(description, event_reason=event_reason, **why)
        self.retry_after = retry_after
