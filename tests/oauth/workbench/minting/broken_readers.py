"""How a FHIR server finds the token in a request: right as `Reader` does it, and broken on purpose in one way each."""

import re
from urllib.parse import parse_qs

from smartauth_probe.requests import Presentation
from tests.oauth.workbench.minting.verifier import Refused, Verifier

BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]+=*)")  # RFC 6750 §2.1


class Reader:
    """Takes one Authorization header and nothing else, and leaves the token to a verifier."""

    def __init__(self, verifier: Verifier) -> None:
        self.verifier = verifier

    def status(self, request: Presentation) -> int:
        try:
            return self.verifier.status(self.token(request))
        except Refused:
            return 401

    def token(self, request: Presentation) -> str:
        """Raises Refused."""
        shown = self.shown(request)
        found = BEARER.fullmatch(shown[0]) if len(shown) == 1 else None
        if found is None:
            raise Refused
        return found[1]

    def shown(self, request: Presentation, name: str = "authorization") -> list[str]:
        return [value for header, value in request.headers if header.lower() == name]


class OpenToAll(Reader):
    """Asks for a token only where one is shown."""

    def status(self, request: Presentation) -> int:
        return super().status(request) if self.shown(request) else 200


class FromQuery(Reader):
    def token(self, request: Presentation) -> str:
        return parse_qs(request.query)["access_token"][0]


class FromForm(Reader):
    def token(self, request: Presentation) -> str:
        return parse_qs(request.body)["access_token"][0]


class FromCookie(Reader):
    def token(self, request: Presentation) -> str:
        return self.shown(request, "cookie")[0].partition("access_token=")[2]


class FirstHeader(Reader):
    """Looks at the first of several."""

    def shown(self, request: Presentation, name: str = "authorization") -> list[str]:
        return super().shown(request, name)[:1]


class FirstToken(Reader):
    """Takes what begins like a token."""

    def token(self, request: Presentation) -> str:
        return self.shown(request)[0].split()[1]


class AnyScheme(Reader):
    """Takes the last word, whatever stands before it."""

    def token(self, request: Presentation) -> str:
        return self.shown(request)[0].split()[-1]


class Cleans(Reader):
    """Takes away what belongs to no token."""

    def token(self, request: Presentation) -> str:
        return re.sub(r"[^A-Za-z0-9._~+/=-]", "", self.shown(request)[0].removeprefix("Bearer "))
