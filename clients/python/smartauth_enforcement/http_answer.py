"""An answer to the app: what your server said, or what is said in its place."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from smartauth_enforcement.strict_json import to_json

FHIR_JSON = "application/fhir+json"

Headers = tuple[tuple[str, str], ...]


class HttpAnswer(NamedTuple):
    """Status, headers with names in lower case, body."""

    status: int
    headers: Headers
    body: bytes

    @classmethod
    def of_json(cls, status: int, content: Any, headers: Iterable[tuple[str, str]] = (), kind: str = FHIR_JSON) -> Self:
        """JSON, with these headers beside its own two."""
        body = to_json(content)
        own = (("content-type", kind), ("content-length", str(len(body))))
        return cls(status, (*own, *headers), body)

    def header(self, name: str) -> str:
        """The first of that name, "" for none."""
        return next((value for key, value in self.headers if key == name), "")


def refusal(status: int, code: str, headers: Mapping[str, str] | None = None, text: str = "") -> HttpAnswer:
    """An OperationOutcome with a code of FHIR's issue-type value set, and nothing of the request."""
    issue = {"severity": "error", "code": code, **({"diagnostics": text} if text else {})}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return HttpAnswer.of_json(status, outcome, (headers or {}).items())


NO_TOKEN = refusal(401, "login", {"www-authenticate": "Bearer"})
MALFORMED_TOKEN = refusal(401, "login", {"www-authenticate": 'Bearer error="invalid_token"'})
MALFORMED_REQUEST = refusal(400, "invalid")
FORBIDDEN = refusal(403, "forbidden")
TOO_COSTLY = refusal(403, "too-costly")
TOO_MANY_PATIENTS = refusal(403, "too-costly", text="You may see more patients than a search can be narrowed to.")
NOT_BELOW_THE_BASE = refusal(404, "not-found")
TOO_LONG = refusal(413, "too-long")
NO_FORM = NO_JSON = refusal(415, "not-supported")
BROKEN_SERVER = refusal(500, "exception")
UNAVAILABLE = refusal(503, "transient", {"retry-after": "5"})
