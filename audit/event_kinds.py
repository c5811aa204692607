"""What the kinds of security events mean for an operator: a word, and whether something was done, refused or odd."""

DONE = (
    "access-taken-back", "allowed", "authorization-ended", "client-disabled", "client-enabled", "client-ended",
    "fhir-server-added", "fhir-server-ended", "fhir-server-opened", "flag-cleared", "granted-by-command", "issued",
    "key-rotated", "key-withdrawn", "keys-re-encrypted",
    "launch-prepared", "login-succeeded", "operator-added", "operator-changed", "password-changed", "password-required",
    "person-ended", "person-let-in", "person-locked", "person-stopped", "refresh-repeated", "refreshed",
    "resource-server-added", "revoked", "secret-rotated", "seeded", "signed-out", "superseded",
)  # fmt: skip
REFUSED = (
    "client-authentication-failed", "code-refused", "denied", "introspection-refused", "locked", "login-failed",
    "refresh-refused", "request-refused",
)  # fmt: skip
ODD = (
    "address-changed", "choice-tampered", "client-keys-exposed", "code-of-another-client", "code-replayed",
    "refresh-reused", "refusals-reached", "tamper-suspected", "tampered",
)  # fmt: skip
RESULTS = {"done": DONE, "refused": REFUSED, "odd": ODD}


def label(kind: str) -> str:
    """The kind as a person reads it."""
    return kind.replace("-", " ").capitalize()


def result(kind: str) -> str:
    """done, refused or odd; a kind that is not listed counts as done."""
    return next((name for name, kinds in RESULTS.items() if kind in kinds), "done")
