"""What a check asks for: a good token with these scopes for this patient, or a bad one of a kind."""

from dataclasses import dataclass, field
from typing import Protocol

from smartauth_probe.bad_token import BadToken


@dataclass(frozen=True, slots=True)
class Wanted:
    """`patient` is an id, "" for a token without one; `user` is who uses the app, such as Practitioner/dr-green.

    `claims` are what else the token says; with `None` a claim is left out.
    """

    scope: str
    patient: str = ""
    user: str = ""
    claims: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        return f"{self.scope or 'no scope'}{f' for {self.patient}' if self.patient else ''}"


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A token, and the words that stand in its place in a report."""

    value: str = field(repr=False)
    label: str = ""


class NoToken(Exception):
    """Why this source has no such token, and what somebody can do so that it has."""

    def __init__(self, reason: str, to_run: str = "--authority with a development smartauth") -> None:
        super().__init__(reason)
        self.to_run = to_run


class TokenSource(Protocol):
    """`patient` is the one in context, "" where that is not known."""

    @property
    def description(self) -> str: ...

    @property
    def patient(self) -> str: ...

    def know_patients(self, a: str, b: str) -> None:
        """Who the patients are, where they were loaded; a source that depends on others' records does nothing."""

    def token(self, wanted: Wanted) -> str:
        """Raises NoToken."""

    def bad_token(self, kind: str, listens_at: str = "") -> BadToken:
        """Raises NoToken."""

    def end(self, token: str) -> None:
        """Revokes it at the authorization server (RFC 7009). Raises NoToken where that cannot be done."""


def is_system(wanted: Wanted) -> bool:
    """Whether it is a token of a backend service (SMART Backend Services)."""
    return "system/" in wanted.scope
