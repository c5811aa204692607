"""Refusals as FHIR tells them: an OperationOutcome that says no more than it must (FHIR http, Access Denied)."""

import json
from http import HTTPStatus
from typing import ClassVar

from rest_framework.exceptions import APIException

from smart.decisions.refusals import INSUFFICIENT_SCOPE, INVALID_TOKEN, NOT_FOUND
from smart.explanation import Explanation, Why, explain
from smart.http.bearer import bearer_challenge
from smart.metadata import well_known


class Refusal(APIException):
    """What a caller may read about a refusal. `issue` is the code of FHIR's issue-type value set.

    `rule` is the line of the checklist that refuses, and `why` says more for who develops.
    """

    rule: ClassVar[str] = "SD-27"
    status_code: int = HTTPStatus.BAD_REQUEST
    issue: ClassVar[str] = "invalid"
    text: ClassVar[str] = ""

    def __init__(self, text: str = "", **headers: str) -> None:
        super().__init__(text or self.text)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.why: Why = {}

    @property
    def explanation(self) -> Explanation:
        """Which rule refused, in this server's own terms."""
        return explain(str(self.detail), {"rule": self.rule, **self.why})

    def outcome(self) -> str:
        """The body: nothing of the request in it, neither token nor id."""
        issue = {"severity": "error", "code": self.issue, "diagnostics": str(self.detail)}
        return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]})


class BadRequest(Refusal):
    pass


class NoToken(Refusal):
    """The challenge has no error code where nothing was presented (RFC 6750 §3)."""

    rule = "TV-01"
    status_code = HTTPStatus.UNAUTHORIZED
    issue = "login"
    text = "This needs an access token."

    def __init__(self, realm: str) -> None:
        issuers = well_known(realm, "oauth-protected-resource")  # RFC 9728 §5.1
        super().__init__(**{"WWW-Authenticate": bearer_challenge(realm, resource_metadata=issuers)})


class InvalidToken(Refusal):
    rule = "TV-18"
    status_code, issue, text, _ = INVALID_TOKEN

    def __init__(self, realm: str, why: Why | None = None) -> None:
        super().__init__(**INVALID_TOKEN.headers(realm))
        self.why = why or {"what": "the Authorization header holds no access token, or more than one"}


class InsufficientScope(Refusal):
    rule = "TV-20"
    status_code, issue, text, _ = INSUFFICIENT_SCOPE

    def __init__(self, realm: str, why: Why) -> None:
        super().__init__(**INSUFFICIENT_SCOPE.headers(realm))
        self.why = why


class NotFound(Refusal):
    """One and the same for what never existed and for what the caller may not see (SD-26)."""

    rule = "SD-26"
    status_code, issue, text, _ = NOT_FOUND


class TypeNotServed(Refusal):
    rule = "SD-12"
    status_code = HTTPStatus.NOT_FOUND
    issue = "not-supported"
    text = "This server does not hold that type."


class MethodNotAllowed(Refusal):
    rule = "SD-23"
    status_code = HTTPStatus.METHOD_NOT_ALLOWED
    issue = "not-supported"
    text = "This server does not do that."


class NotAcceptable(Refusal):
    rule = "SD-28"
    status_code = HTTPStatus.NOT_ACCEPTABLE
    issue = "not-supported"
    text = "This server answers in JSON, and in the FHIR version of this base only."


class UnsupportedMediaType(Refusal):
    rule = "SD-28"
    status_code = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    issue = "not-supported"
    text = "A search is posted as application/x-www-form-urlencoded."


class LengthRequired(Refusal):
    """A body of unknown length would be read as none, and the search as a wider one than was asked."""

    rule = "SD-20"
    status_code = HTTPStatus.LENGTH_REQUIRED
    text = "Send a Content-Length."


class TooLarge(Refusal):
    """413 for a body, 414 for a query."""

    rule = "SD-20"
    issue = "too-long"
    text = "The request is larger than a search can be."

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__()
        self.status_code = status


class Unavailable(Refusal):
    """Nobody is let in while the token cannot be judged (TV-15)."""

    rule = "TV-15"
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    issue = "transient"
    text = "The access token cannot be checked just now."

    def __init__(self, text: str = "") -> None:
        super().__init__(text, **{"Retry-After": "5"})


class Failure(Refusal):
    rule = "TV-27"
    status_code = HTTPStatus.INTERNAL_SERVER_ERROR
    issue = "exception"
    text = "The server failed."
