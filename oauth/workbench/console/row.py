"""A request that concerns a token, as the console keeps it: nothing in it can be used by anybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from oauth.workbench.console.harmless import harmless_text
from smart.explanation import Explanation
from smart.time_units import to_datetime


class Outcome(StrEnum):
    """What became of it. Of a token that was called active the FHIR server decides: what it did is not seen here."""

    REFUSED = "refused"
    LET_IN = "let-in"
    ACTIVE = "active"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request. `answer` is a status or a word such as `issued`; `head` the request as far as it is harmless.

    `subject` is the person as tokens name them; who that is says `people`, where a row is shown. `asker` is the client
    that asked about a token, `kind` the kind of a bad token that was minted here, and `audiences` what its aud says.
    """

    at: int
    took: int
    what: str
    answer: str
    outcome: Outcome
    head: str
    status: int
    reason: str = ""
    rule: str = ""
    presented: str = ""
    expected: str = ""
    reference: str = ""
    client: str = ""
    server: str = ""
    person: str = ""
    patient: str = ""
    subject: str = ""
    asker: str = ""
    kind: str = ""
    audiences: tuple[str, ...] = ()
    has_scope: bool = True
    number: int = 0

    @property
    def time(self) -> str:
        """The time of day, in UTC."""
        return to_datetime(self.at).strftime("%H:%M:%S")

    @property
    def moment(self) -> str:
        """Date and time, to the millisecond."""
        return to_datetime(self.at).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def is_refused(self) -> bool:
        return self.outcome is Outcome.REFUSED

    @property
    def is_let_in(self) -> bool:
        return self.outcome is Outcome.LET_IN

    @property
    def is_active(self) -> bool:
        return self.outcome is Outcome.ACTIVE

    @property
    def cause(self) -> str:
        """What refusals with the same cause have in common."""
        return self.rule or self.reason

    @property
    def place(self) -> str:
        """The FHIR server without its scheme."""
        return self.server.partition("://")[2] or self.server


def token_fields(claims: Mapping[str, Any]) -> dict[str, str]:
    """Client, FHIR server, person and patient, as a token says them."""
    audience = claims.get("aud")
    server = audience[0] if isinstance(audience, list) and audience else audience
    client, subject = claims.get("client_id"), claims.get("sub")
    found = {
        "client": client,
        "server": server,
        "person": claims.get("username") or _last_parts(claims.get("fhirUser")),
        "patient": claims.get("patient"),
        "subject": "" if subject == client else subject,
    }
    return {name: harmless_text(value) for name, value in found.items() if isinstance(value, str)}


def _last_parts(reference: Any) -> str:
    """Type and id of a reference, whatever base stands before it."""
    return "/".join(reference.rsplit("/", 2)[-2:]) if isinstance(reference, str) else ""


def refusal_fields(explanation: Explanation | None) -> dict[str, str]:
    """What a row says of a refusal."""
    if explanation is None:
        return {}
    texts = {"reason": explanation.what, "presented": explanation.presented, "expected": explanation.expected}
    known = {"rule": explanation.rule, "reference": explanation.reference}
    return {name: harmless_text(text) for name, text in {**texts, **known}.items()}
