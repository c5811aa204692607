"""Tokens that are handed over, beside those that a backend service gets by itself."""

from smartauth_probe.bad_token import BadToken
from smartauth_probe.tokens.client_credentials import ClientCredentials
from smartauth_probe.tokens.pasted import PastedTokens
from smartauth_probe.tokens.source import NoToken, Wanted, is_system


class WithService:
    """What was given; what of `system/` scopes is not among it comes by client_credentials."""

    def __init__(self, given: PastedTokens, service: ClientCredentials) -> None:
        self._given, self._service = given, service

    @property
    def description(self) -> str:
        return f"{self._given.description}; {self._service.description}"

    @property
    def patient(self) -> str:
        return self._given.patient

    def know_patients(self, a: str, b: str) -> None:
        """Its tokens are for patients that the authorization server knows."""

    def token(self, wanted: Wanted) -> str:
        try:
            return self._given.token(wanted)
        except NoToken:
            if not is_system(wanted):
                raise
        return self._service.token(wanted)

    def bad_token(self, kind: str, listens_at: str = "") -> BadToken:
        return self._given.bad_token(kind, listens_at)

    def end(self, token: str) -> None:
        self._given.end(token)
