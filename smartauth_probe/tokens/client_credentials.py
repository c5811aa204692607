"""Tokens of any authorization server for a backend service with a secret (RFC 6749 §4.4); `system/` scopes only."""

import json
from base64 import b64encode
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from smartauth_probe.bad_token import BadToken
from smartauth_probe.raw_http import NoAnswer, send
from smartauth_probe.requests import FORM, Presentation
from smartauth_probe.tokens.source import NoToken, Wanted, is_system


class ClientCredentials:
    def __init__(self, endpoint: str, client_id: str, secret: str) -> None:
        self._endpoint = endpoint
        known = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
        self._basic = b64encode(known.encode()).decode()

    @property
    def description(self) -> str:
        return f"{self._endpoint}, by client_credentials"

    @property
    def patient(self) -> str:
        return ""

    def know_patients(self, a: str, b: str) -> None:
        """Its tokens are for patients that the authorization server knows."""

    def token(self, wanted: Wanted) -> str:
        if not is_system(wanted) or wanted.claims:
            raise NoToken("client_credentials gives tokens with system/ scopes only.")
        parts = urlsplit(self._endpoint)
        base = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
        form = urlencode({"grant_type": "client_credentials", "scope": wanted.scope})
        headers = (("Authorization", f"Basic {self._basic}"), ("Content-Type", FORM), ("Accept", "application/json"))
        try:
            response = send(base, Presentation(parts.path.lstrip("/"), "POST", parts.query, headers, form))
            found = json.loads(response.content).get("access_token")
        except (NoAnswer, ValueError, AttributeError, RecursionError) as problem:
            raise NoToken(f"{self._endpoint} gave no token: {problem}") from None
        if not isinstance(found, str):
            raise NoToken(f"{self._endpoint} gave no token: it answered {response.status_code}.")
        return found

    def bad_token(self, kind: str, listens_at: str = "") -> BadToken:
        raise NoToken("Such a token cannot be made without the key of the authorization server.")

    def end(self, token: str) -> None:
        raise NoToken("Nobody here can revoke a token.")
