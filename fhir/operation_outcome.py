"""Errors as FHIR tells them: an OperationOutcome that says no more than it must (FHIR http, Access Denied)."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar

from rest_framework.exceptions import APIException

from smart.decisions.decision import Denial, DenialReason
from smart.decisions.refusals import INVALID_TOKEN, NO_TOKEN, NOT_ALLOWED, NOT_FOUND, Refusal
from smart.explanation import Explanation, Why, build_explanation


class FhirError(APIException):
    """A row of the table of refusals, or one of this server's own. `rule` is the line of the checklist that refuses.

    `why` says more for who develops.
    """

    rule: ClassVar[str] = "SD-27"
    answer: Refusal = Refusal(HTTPStatus.BAD_REQUEST, "invalid", "")
    why: Why = {}

    def __init__(self, text: str = "", headers: Mapping[str, str] | None = None) -> None:
        if text:
            self.answer = self.answer._replace(text=text)
        super().__init__(self.answer.text)
        self.status_code = self.answer.status
        self.headers = dict(headers or {})

    @property
    def explanation(self) -> Explanation:
        """Which rule refused, in this server's own terms."""
        return build_explanation(self.answer.text, {"rule": self.rule, **self.why})

    def outcome(self) -> str:
        """The body: nothing of the request in it, neither token nor id."""
        return json.dumps(self.answer.outcome())


class BadRequest(FhirError):
    pass


class NoToken(FhirError):
    """The challenge has no error code where nothing was presented (RFC 6750 §3)."""

    rule = "TV-01"
    answer = NO_TOKEN

    def __init__(self, base: str) -> None:
        super().__init__(headers=self.answer.headers(base))


class InvalidToken(FhirError):
    rule = "TV-18"
    answer = INVALID_TOKEN

    def __init__(self, base: str, why: Why | None = None) -> None:
        super().__init__(headers=self.answer.headers(base))
        self.why = why or {"what": "the Authorization header holds no access token, or more than one"}


class RequestDenied(FhirError):
    """What `decide` says no to, told as it says; what is hidden has no reason of its own either (SD-26)."""

    rule = "SD-26"

    def __init__(self, denial: Denial, base: str) -> None:
        self.answer = denial.refusal
        super().__init__(headers=self.answer.headers(base))
        self.why = {} if self.answer is NOT_FOUND else denial.why
        self.is_out_of_scope = denial.reason is DenialReason.INSUFFICIENT_SCOPE


class NotFound(FhirError):
    """One and the same for what never existed and for what the caller may not see (SD-26)."""

    rule = "SD-26"
    answer = NOT_FOUND


class Gone(FhirError):
    """For who could have read what was there; for anybody else it is NotFound (HV-04)."""

    rule = "HV-04"
    answer = Refusal(HTTPStatus.GONE, "deleted", "This was deleted.")


class PageOfAnother(FhirError):
    """A page belongs to the app, the person and the patient that it was made for, and to its search (SR-14)."""

    rule = "SR-14"
    answer = Refusal(HTTPStatus.FORBIDDEN, "forbidden", "That page was made for another search or another token.")


class TypeNotServed(FhirError):
    rule = "SD-12"
    answer = Refusal(HTTPStatus.NOT_FOUND, "not-supported", "This server does not hold that type.")


class MethodNotAllowed(FhirError):
    rule = "SD-23"
    answer = Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "not-supported", "This server does not do that.")


class NotAcceptable(FhirError):
    rule = "SD-28"
    answer = Refusal(
        HTTPStatus.NOT_ACCEPTABLE,
        "not-supported",
        "This server answers in JSON, and in the FHIR version of this base only.",
    )


class UnsupportedMediaType(FhirError):
    rule = "SD-28"
    answer = Refusal(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "not-supported",
        "A search is posted as application/x-www-form-urlencoded.",
    )


class TooCostly(FhirError):
    rule = "SR-05"
    answer = Refusal(HTTPStatus.BAD_REQUEST, "too-costly", "Too many resources come along: ask for smaller pages.")


class TooMuchToChange(FhirError):
    rule = "SD-20"
    answer = Refusal(
        HTTPStatus.BAD_REQUEST,
        "too-costly",
        "The resources that this request changes are too large together: change fewer of them at once.",
    )


class RequestRefused(FhirError):
    rule = "WR-07"
    answer = NOT_ALLOWED


class Conflict(FhirError):
    """Somebody else changed the resource meanwhile."""

    rule = "WR-08"
    answer = Refusal(HTTPStatus.CONFLICT, "conflict", "The resource was changed meanwhile.")


class PreconditionFailed(FhirError):
    """Told only of resources that the caller reaches (WR-08, WR-12)."""

    rule = "WR-08"
    answer = Refusal(HTTPStatus.PRECONDITION_FAILED, "conflict", "The condition does not hold.")


class Unprocessable(FhirError):
    rule = "SD-18"
    answer = Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "processing", "The resource cannot be stored.")


def _xpath(path: str) -> str:
    """The path as XPath, which counts from one: `/f:Observation/f:component[1]`."""
    counted = re.sub(r"\[(\d+)\]", lambda index: f"[{int(index[1]) + 1}]", path)
    return "".join(f"/f:{step}" for step in counted.split("."))


# how each version writes where in a resource something is wrong
_PATHS: Mapping[str, Callable[[str], str]] = {"expression": str, "location": _xpath}


class InvalidResource(FhirError):
    """What was sent is no resource of this version: each problem is an issue, with the path to it (FHIR validation)."""

    rule = "SD-13"
    answer = Refusal(HTTPStatus.BAD_REQUEST, "invalid", "It is no resource of this FHIR version.")

    def __init__(self, problems: Sequence[tuple[str, str, str]], member: str) -> None:
        super().__init__()
        self._issues = [
            {"severity": "error", "code": code, "diagnostics": text, member: [_PATHS[member](path or "Resource")]}
            for path, code, text in problems
        ]

    def outcome(self) -> str:
        """The body: names of elements and codes that FHIR knows, and nothing else of what was sent."""
        return json.dumps({"resourceType": "OperationOutcome", "issue": self._issues})


class LengthRequired(FhirError):
    """A body of unknown length would be read as none, and the search as a wider one than was asked."""

    rule = "SD-20"
    answer = Refusal(HTTPStatus.LENGTH_REQUIRED, "invalid", "Send a Content-Length.")


class TooLarge(FhirError):
    """413 for a body, 414 for a query."""

    rule = "SD-20"

    def __init__(self, status: HTTPStatus) -> None:
        self.answer = Refusal(status, "too-long", "The request is larger than this server takes.")
        super().__init__()


class Unavailable(FhirError):
    """Nobody is let in while the token cannot be judged (TV-15)."""

    rule = "TV-15"
    answer = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "transient", "The access token cannot be checked just now.")

    def __init__(self, text: str = "") -> None:
        super().__init__(text, {"Retry-After": "5"})


class Failure(FhirError):
    rule = "TV-27"
    answer = Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "exception", "The server failed.")
