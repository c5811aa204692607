"""Tokens that somebody hands over: few, but of any authorization server."""

from collections.abc import Mapping

from smartauth_probe.bad_token import BadToken
from smartauth_probe.catalogue import kinds
from smartauth_probe.requests import PRESENTATIONS, presentation
from smartauth_probe.tokens.source import NoToken, Wanted, is_system

SYSTEM = "system"
FULL = "patient/*.rs"


class PastedTokens:
    """By what they are for: `A` and `B` are ids of patients, whose tokens have `patient/*.rs`; `system`; or scopes.

    A key such as `A patient/Observation.r` names patient and scopes of a token that can do less.
    """

    def __init__(self, base: str, tokens: Mapping[str, str], patients: tuple[str, ...]) -> None:
        self._base, self._tokens, self._patients = base, tokens, patients

    @property
    def description(self) -> str:
        return "who runs the probe: " + ", ".join(self._tokens)

    @property
    def patient(self) -> str:
        return self._patients[0] if self._patients else ""

    def know_patients(self, a: str, b: str) -> None:
        """Its tokens are for patients that the authorization server knows."""

    def token(self, wanted: Wanted) -> str:
        for key in self._keys(wanted):
            if not wanted.claims and key in self._tokens:
                return self._tokens[key]
        raise NoToken(f"No token was given with {wanted}.", f"--token-for {next(iter(self._keys(wanted)))!r}=TOKEN")

    def _keys(self, wanted: Wanted) -> tuple[str, ...]:
        if is_system(wanted):
            return (wanted.scope, SYSTEM) if wanted.scope == "system/*.rs" else (wanted.scope,)
        letter = dict(zip(self._patients, "AB", strict=False)).get(wanted.patient, wanted.patient)
        named = f"{letter} {wanted.scope}"
        return (letter, named) if wanted.scope == FULL else (named,)

    def bad_token(self, kind: str, listens_at: str = "") -> BadToken:
        """What is wrong in the request only: the token is a good one."""
        if kind not in PRESENTATIONS:
            raise NoToken("Such a token cannot be made without the key of the authorization server.")
        good = self.token(Wanted(FULL, self.patient))
        return BadToken(kinds()[kind], good, self._base, presentation(kind, good, self.patient))

    def end(self, token: str) -> None:
        raise NoToken("Nobody here can revoke a token.")
