"""The refusals of a FHIR server: status, OperationOutcome and challenge, which tell no more than they must (HI-01)."""

from http import HTTPStatus
from typing import NamedTuple

from smart.http.bearer import bearer_challenge
from smart.metadata import well_known


class Refusal(NamedTuple):
    """`issue` is the code of FHIR's issue-type value set, `error` the one of the Bearer scheme, if any."""

    status: HTTPStatus
    issue: str
    text: str
    error: str = ""

    def outcome(self) -> dict[str, object]:
        """The body: nothing of the request in it, neither token nor id."""
        issue = {"severity": "error", "code": self.issue, "diagnostics": self.text}
        return {"resourceType": "OperationOutcome", "issue": [issue]}

    def headers(self, base: str) -> dict[str, str]:
        """The challenge of that base (RFC 6750 §3); where no token is good, who issues one (RFC 9728 §5.1)."""
        is_unknown_caller = self.status == HTTPStatus.UNAUTHORIZED
        if not (self.error or is_unknown_caller):
            return {}
        error = {"error": self.error} if self.error else {}  # none where nothing was presented
        issuers = {"resource_metadata": well_known(base, "oauth-protected-resource")} if is_unknown_caller else {}
        return {"WWW-Authenticate": bearer_challenge(base, **error, **issuers)}


NO_TOKEN = Refusal(HTTPStatus.UNAUTHORIZED, "login", "This needs an access token.")
INVALID_TOKEN = Refusal(HTTPStatus.UNAUTHORIZED, "login", "The access token is not valid here.", "invalid_token")
INSUFFICIENT_SCOPE = Refusal(
    HTTPStatus.FORBIDDEN, "forbidden", "The access token does not allow this.", "insufficient_scope"
)
NOT_FOUND = Refusal(HTTPStatus.NOT_FOUND, "not-found", "There is nothing here for you.")
NOT_ALLOWED = Refusal(HTTPStatus.FORBIDDEN, "forbidden", "The access token does not allow this.")
PARAMETER_REFUSED = Refusal(
    HTTPStatus.BAD_REQUEST, "not-supported", "With this access token some of these parameters cannot be evaluated."
)
SECOND_TOKEN = Refusal(
    HTTPStatus.BAD_REQUEST, "invalid", "One access token, in the Authorization header.", "invalid_request"
)
