"""What a scope parameter must be before its scopes are looked at, at every endpoint that takes one (RFC 6749 §3.3)."""

from smart.http.errors import InvalidScope
from smart.scopes.scope_sets import MAX_RESTRICTED, has_legal_characters, has_too_many


def check_characters(text: str) -> None:
    """Raises InvalidScope for none, and for a character that no scope has (E13, E14)."""
    if not text.strip(" "):
        raise InvalidScope("scope is missing", rule="AZ-03", case="E13")
    if not has_legal_characters(text):
        raise InvalidScope("scope has a character that is not allowed", rule="SCP-07", case="E14", presented=text)


def check_count(text: str) -> None:
    """Raises InvalidScope for more restricted scopes than can be compared in a moment (SCP-21)."""
    if has_too_many(text):
        raise InvalidScope(f"scope names more than {MAX_RESTRICTED} restricted scopes", rule="SCP-21", case="E14")
