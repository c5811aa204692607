"""Tokens signed with a key of one's own, for a FHIR server that verifies JWTs and trusts that key."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from smartauth_probe.bad_claims import CHANGES
from smartauth_probe.bad_token import BadToken
from smartauth_probe.catalogue import kinds
from smartauth_probe.requests import PRESENTATIONS, presentation
from smartauth_probe.tokens.signing_key import SigningKey, compact, content, part
from smartauth_probe.tokens.source import NoToken, Wanted, is_system

LIFETIME = 3_600  # seconds; longer than any run
READER = "patient/*.rs"
LONG = 20_000
UNSIGNED = {"alg-none": {"alg": "none"}, "alg-None": {"alg": "None"}, "alg-NONE": {"alg": "NONE"}, "alg-missing": {}}
SIGNATURES: Mapping[str, Callable[[bytes], bytes]] = {
    "signature-bit": lambda given: given[:-1] + bytes([given[-1] ^ 1]),
    "signature-empty": lambda given: b"",
    "signature-cut": lambda given: given[: len(given) // 2],
}
ASKED = frozenset({"active-text"})  # about an answer of introspection, which nobody asks here


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodClaims:
    """What a good token says (RFC 9068 §2.2), and names for what is wrong."""

    claims: Mapping[str, Any]
    other_patient: str
    other_base: str = "https://another.invalid/fhir"

    @property
    def now(self) -> int:
        return int(self.claims["iat"])

    @property
    def issuer(self) -> str:
        return str(self.claims["iss"])

    @property
    def base(self) -> str:
        return str(self.claims["aud"])

    @property
    def patient(self) -> str:
        return str(self.claims.get("patient", ""))


class OwnKeyTokens:
    """Of that issuer for the FHIR base `aud`; `patients` are A and B."""

    def __init__(
        self, key: SigningKey, *, issuer: str, aud: str, client: str, user: str, patients: tuple[str, ...]
    ) -> None:
        self._key, self._issuer, self._aud = key, issuer, aud
        self._client, self._user, self._patients = client, user, patients

    @property
    def description(self) -> str:
        return f"a key of one's own, in the name of {self._issuer}"

    @property
    def patient(self) -> str:
        return self._patients[0] if self._patients else ""

    def know_patients(self, a: str, b: str) -> None:
        self._patients = (a, b)

    def token(self, wanted: Wanted) -> str:
        return compact(self._claims(wanted), self._key)

    def _claims(self, wanted: Wanted) -> dict[str, Any]:
        now = int(time.time())
        about: dict[str, Any] = {"iss": self._issuer, "aud": self._aud, "client_id": self._client}
        about |= {"iat": now, "exp": now + LIFETIME, "jti": secrets.token_hex(16), "scope": wanted.scope}
        if wanted.patient:
            about["patient"] = wanted.patient
        if is_system(wanted):
            about["sub"] = self._client
        else:
            about |= {"sub": self._user, "fhirUser": wanted.user or f"Patient/{self.patient}"}
        about |= dict(wanted.claims)
        return {name: value for name, value in about.items() if value is not None}

    def bad_token(self, kind: str, listens_at: str = "") -> BadToken:
        value = self._bad_value(kind)
        return BadToken(kinds()[kind], value, self._aud, presentation(kind, value, self.patient))

    def end(self, token: str) -> None:
        raise NoToken("Nobody here can revoke a token.")

    def _bad_value(self, kind: str) -> str:
        """Raises NoToken for what takes more than this key."""
        claims = self._claims(Wanted(READER, self.patient))
        good = GoodClaims(claims=claims, other_patient=self._patients[1] if self._patients[1:] else "another")
        if kind in CHANGES and kind not in ASKED:
            return compact(CHANGES[kind](claims, good), self._key)
        token = compact(claims, self._key)
        if kind in PRESENTATIONS:
            return token
        if kind in ("noise", "long"):
            return secrets.token_urlsafe(LONG)[: LONG if kind == "long" else len(token)]
        return self._forge(kind, token, good)

    def _forge(self, kind: str, token: str, good: GoodClaims) -> str:
        header, payload, signature = token.split(".")
        if kind in SIGNATURES:
            return f"{header}.{payload}.{part(SIGNATURES[kind](content(signature)))}"
        if kind == "signature-none":
            return f"{header}.{payload}"
        if kind in UNSIGNED:
            rest = {name: value for name, value in self._key.header.items() if name != "alg"}
            return f"{part(json.dumps({**UNSIGNED[kind], **rest}))}.{payload}."
        if kind == "payload-changed":
            return f"{header}.{part(json.dumps({**good.claims, 'patient': good.other_patient}))}.{signature}"
        raise NoToken("Such a token takes more than the key: an authorization server, or a second key.")
