"""Why access has ended: one row for each reason. The page of the person, the operators' pages and events read it."""

from dataclasses import dataclass
from enum import StrEnum

from smart.tokens.liveness import Dead


class EndedFor(StrEnum):
    """What ended an authorization or a token before its time; stands in their rows and in their events."""

    PERSON = "person"
    SIGNED_OUT = "signed-out"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105  # a reason, no password
    ADDRESS_CHANGED = "address-changed"
    REFUSALS = "refusals"
    REUSED = "reused"
    REPLAYED = "replayed"
    TAMPERED = "tampered"
    REVOKED = "revoked"
    INVALIDATED = "invalidated"
    OPERATOR = "operator"
    PERSON_ENDED = "person-ended"
    PERSON_SUSPENDED = "person-stopped"  # an older word, which lies in rows and events
    CLIENT_ENDED = "client-ended"
    CLIENT_DISABLED = "client-disabled"
    FHIR_SERVER_ENDED = "fhir-server-ended"
    RESTORED = "restored"
    USED = "used"  # a token of our own search for patients: for one search


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason in words: for the person, after "Ended ...:"; for the operator a sentence, and a tag with its tone."""

    person: str
    operator: str
    tag: str
    tone: str = "bad"


OPERATORS = "the operators ended it"
GIVEN_BACK = "the app, or who keeps the records, ended it"
UNKNOWN = Reason("it was ended", "It was ended.", "ended")

REASONS: dict[str, Reason] = {
    EndedFor.PERSON: Reason("you took it back", "The person took the access back.", "taken back"),
    EndedFor.SIGNED_OUT: Reason("you signed out", "The person signed out.", "signed out"),
    EndedFor.PASSWORD_CHANGED: Reason(
        "your password was changed", "The person's password was changed.", "new password"
    ),
    EndedFor.ADDRESS_CHANGED: Reason(
        "it was used from a new address",
        "It was used from another address, so the policy ended the authorization.",
        "used elsewhere",
    ),
    EndedFor.REFUSALS: Reason(
        "the app kept trying what it may not do",
        "The FHIR server refused too many requests, so the access ended by itself.",
        "too many refusals",
    ),
    EndedFor.REUSED: Reason(
        "its key was used twice, perhaps by somebody else",
        "A refresh token of it was used twice, so the whole family ended.",
        "refresh token reused",
    ),
    EndedFor.REPLAYED: Reason(
        "its code was used twice, perhaps by somebody else",
        "Its code was used twice, so everything bought with it ended.",
        "replayed",
    ),
    EndedFor.TAMPERED: Reason(
        "somebody changed its key", "It came back changed, so we ended the real one.", "came back changed"
    ),
    EndedFor.REVOKED: Reason(GIVEN_BACK, "The app or the FHIR server gave it back.", "given back"),
    EndedFor.INVALIDATED: Reason(
        "who keeps the records ended it", "The FHIR server ended everything of this kind.", "ended by the FHIR server"
    ),
    EndedFor.OPERATOR: Reason(OPERATORS, "An operator ended it.", "ended by an operator"),
    EndedFor.PERSON_ENDED: Reason(OPERATORS, "All access of the person was ended.", "person's access ended"),
    EndedFor.PERSON_SUSPENDED: Reason(OPERATORS, "The person was suspended.", "person suspended"),
    EndedFor.CLIENT_ENDED: Reason(OPERATORS, "All access of the client was ended.", "client's access ended"),
    EndedFor.CLIENT_DISABLED: Reason(OPERATORS, "The client was disabled.", "client disabled"),
    EndedFor.FHIR_SERVER_ENDED: Reason(
        OPERATORS, "All access at the FHIR server was ended.", "FHIR server's access ended"
    ),
    EndedFor.RESTORED: Reason(
        "the server was restored from a backup",
        "The database was restored from a backup, so everything that was granted before ended.",
        "database restored",
    ),
    EndedFor.USED: Reason("it was used", "It was for one search, which is done.", "used"),
    Dead.SUPERSEDED: Reason("newer access replaced it", "A newer token took its place.", "superseded", ""),
    Dead.EXPIRED: Reason("time ran out", "Its time ran out.", "expired", ""),
}


def reason(code: str) -> Reason:
    """The row of a reason; what an older version wrote has words too."""
    return REASONS.get(code, UNKNOWN)
