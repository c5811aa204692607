"""Tokens of a development smartauth: every kind of the catalogue, and good ones for whatever scopes and patients."""

from functools import cached_property
from typing import Any

from smartauth_probe.bad_token import BadToken
from smartauth_probe.development_server import DevelopmentServer, OrderRefused, Token, Unreachable
from smartauth_probe.token_order import Order
from smartauth_probe.tokens.source import NoToken, Wanted, is_system

LIFETIME = 3_600  # seconds; longer than any run


class DevelopmentTokens:
    """For this app and person at the FHIR base `aud`; `base` is where that is reached, if it is somewhere else."""

    def __init__(self, server: DevelopmentServer, *, client: str, user: str, aud: str, patient: str = "") -> None:
        self.server, self.aud, self.client, self.user, self.patient_asked = server, aud, client, user, patient
        self._order: Order = {"client": client, "user": user, "aud": aud, "lifetime": LIFETIME}
        if patient:
            self._order["patient"] = patient

    @property
    def description(self) -> str:
        return f"{self.server.url}, a development smartauth"

    @cached_property
    def _plain(self) -> Token:
        """With whatever the app may ask. Raises NoToken."""
        return self._make(self._order)

    @property
    def patient(self) -> str:
        return str(self._plain.answer.get("patient", ""))

    def know_patients(self, a: str, b: str) -> None:
        """Its tokens are for patients that the authorization server knows."""

    def token(self, wanted: Wanted) -> str:
        claims: dict[str, Any] = {"scope": wanted.scope}
        left_out = [name for name, value in wanted.claims if value is None]
        if wanted.patient:
            claims["patient"] = wanted.patient
        else:
            left_out.append("patient")
        if is_system(wanted):
            claims["sub"] = self._order["client"]
            left_out.append("fhirUser")
        elif wanted.user:
            claims["fhirUser"] = wanted.user
        claims |= {name: value for name, value in wanted.claims if value is not None}
        return self._make(
            {**self._order, "claims": claims, "without": [name for name in left_out if name not in claims]}
        ).value

    def bad_token(self, kind: str, listens_at: str = "") -> BadToken:
        order: Order = {**self._order}
        order.pop("lifetime")
        if listens_at:
            order["listener"] = listens_at
        try:
            return self.server.bad_token(kind, **order)
        except (OrderRefused, Unreachable) as refusal:
            raise NoToken(str(refusal), "nothing to do") from None

    def end(self, token: str) -> None:
        try:
            self.server.revoke(token, self._order["client"])
        except (OrderRefused, Unreachable) as refusal:
            raise NoToken(f"The token could not be revoked: {refusal}", "an app without a secret") from None

    def _make(self, order: Order) -> Token:
        try:
            return self.server.token(**order)
        except (OrderRefused, Unreachable) as refusal:
            raise NoToken(f"The authorization server gives no such token: {refusal}", "nothing to do") from None
