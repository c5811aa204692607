"""How a refusal is written (RFC 6749 §5.2, RFC 6750 §3.1), on both sides."""

from django.http import HttpResponse

from oauth.http.explanations import error_uri, with_reference
from oauth.http.json_response import json_response
from smart.explanation import Explanation, explain_response
from smart.http.errors import OAuthError, ServerError, TemporarilyUnavailable, TooManyRequests


def database_unavailable() -> TemporarilyUnavailable:
    """The database does not answer, or cannot do this now."""
    return TemporarilyUnavailable("the server cannot answer now, try again", rule="E114", case="E114")


def something_failed() -> ServerError:
    """A fault of ours."""
    return ServerError("something failed here, try again later", rule="E42", case="E42")


def error_members(code: str, description: str = "", uri: str = "") -> dict[str, str]:
    """The JSON object of a refusal; in development with the address where it is explained."""
    members = {"error": code, "error_description": description, "error_uri": uri}
    return {name: value for name, value in members.items() if value}


def described_members(error: OAuthError, explanation: Explanation) -> dict[str, str]:
    """The JSON object of this error; where nothing else is said its code describes it."""
    return error_members(error.code, error.description or error.code, error_uri(explanation))


def error_headers(error: OAuthError) -> dict[str, str]:
    """The challenge, and when to come back."""
    wait = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyRequests) else {}
    return {**error.headers, **wait}


def error_response(error: OAuthError, **headers: str) -> HttpResponse:
    """The refusal as Django sends it."""
    explanation = with_reference(error.explanation)
    members = described_members(error, explanation)
    response = json_response(error.status, members, **error_headers(error), **headers)
    explain_response(response, explanation)
    return response
