"""Where an endpoint leaves what it has learned of the token of a request, for who looks at answers as they leave."""

from typing import NamedTuple

ABOUT_TOKEN = "smart.about_token"  # noqa: S105  # the claims of the token, in the environ of the request
REPORTED = "smart.reported_refusal"  # what a FHIR server said that it refused, in the environ of its report


class ReportedRefusal(NamedTuple):
    """The token by its digest, the status that was answered, who reports; `base` is "" where the token is unknown."""

    digest: str
    status: int
    reporter: str
    base: str
