"""The kinds of security events, and what each means for an operator: something was done, was refused, or is odd."""

from enum import StrEnum


class Result(StrEnum):
    """What an event means for an operator who reads the trail."""

    DONE = "done"
    REFUSED = "refused"
    ODD = "odd"


class EventKind(StrEnum):
    """Every kind that is ever recorded. docs/reference/events.md tells what each means; a test compares."""

    result: Result

    def __new__(cls, value: str, result: Result) -> "EventKind":
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.result = result
        return kind

    ACCESS_TAKEN_BACK = "access-taken-back", Result.DONE
    ALLOWED = "allowed", Result.DONE
    AUTHORIZATION_ENDED = "authorization-ended", Result.DONE
    CLIENT_DISABLED = "client-disabled", Result.DONE
    CLIENT_ENABLED = "client-enabled", Result.DONE
    CLIENT_ENDED = "client-ended", Result.DONE
    DATABASE_RESTORED = "database-restored", Result.DONE
    FHIR_SERVER_ADDED = "fhir-server-added", Result.DONE
    FHIR_SERVER_ENDED = "fhir-server-ended", Result.DONE
    FHIR_SERVER_OPENED = "fhir-server-opened", Result.DONE
    FLAG_CLEARED = "flag-cleared", Result.DONE
    GRANTED_BY_COMMAND = "granted-by-command", Result.DONE
    ISSUED = "issued", Result.DONE
    KEY_ROTATED = "key-rotated", Result.DONE
    KEY_WITHDRAWN = "key-withdrawn", Result.DONE
    KEYS_RE_ENCRYPTED = "keys-re-encrypted", Result.DONE
    LAUNCH_PREPARED = "launch-prepared", Result.DONE
    LOGIN_SUCCEEDED = "login-succeeded", Result.DONE
    OPERATOR_ADDED = "operator-added", Result.DONE
    OPERATOR_CHANGED = "operator-changed", Result.DONE
    PASSWORD_CHANGED = "password-changed", Result.DONE
    PASSWORD_REQUIRED = "password-required", Result.DONE
    PERSON_ENDED = "person-ended", Result.DONE
    SUSPENSION_LIFTED = "person-let-in", Result.DONE
    # Some values are older than the words of today: they lie in trails that are kept for years, so they stay.
    PERSON_MUST_SIGN_IN = "person-locked", Result.DONE
    PERSON_SUSPENDED = "person-stopped", Result.DONE
    REFRESH_REPEATED = "refresh-repeated", Result.DONE
    REFRESHED = "refreshed", Result.DONE
    RESOURCE_SERVER_ADDED = "resource-server-added", Result.DONE
    REVOKED = "revoked", Result.DONE
    SECRET_ROTATED = "secret-rotated", Result.DONE
    SEEDED = "seeded", Result.DONE
    SIGNED_OUT = "signed-out", Result.DONE
    SUPERSEDED = "superseded", Result.DONE
    TOKEN_MINTED = "token-minted", Result.DONE

    AUTHORIZE_REFUSED = "authorize-refused", Result.REFUSED
    CLIENT_AUTHENTICATION_FAILED = "client-authentication-failed", Result.REFUSED
    CODE_REFUSED = "code-refused", Result.REFUSED
    DENIED = "denied", Result.REFUSED
    FORM_REFUSED = "form-refused", Result.REFUSED
    INTROSPECTION_REFUSED = "introspection-refused", Result.REFUSED
    RATE_LIMITED = "locked", Result.REFUSED
    LOGIN_FAILED = "login-failed", Result.REFUSED
    REFRESH_REFUSED = "refresh-refused", Result.REFUSED
    REQUEST_REFUSED = "request-refused", Result.REFUSED

    ADDRESS_CHANGED = "address-changed", Result.ODD
    CHOICE_TAMPERED = "choice-tampered", Result.ODD
    CLIENT_KEYS_EXPOSED = "client-keys-exposed", Result.ODD
    CODE_OF_ANOTHER_CLIENT = "code-of-another-client", Result.ODD
    CODE_REPLAYED = "code-replayed", Result.ODD
    REFRESH_REUSED = "refresh-reused", Result.ODD
    REFUSALS_REACHED = "refusals-reached", Result.ODD
    TAMPER_SUSPECTED = "tamper-suspected", Result.ODD
    TAMPERED = "tampered", Result.ODD


def kinds_of(result: Result) -> list[EventKind]:
    """All kinds with that result."""
    return [kind for kind in EventKind if kind.result == result]


def label(kind: str) -> str:
    """The kind as a person reads it."""
    return kind.replace("-", " ").capitalize()


def result_of(kind: str) -> Result:
    """The result of a kind; one that an older version recorded counts as done."""
    return next((known.result for known in EventKind if known == kind), Result.DONE)
