"""Tokens that are the claims themselves, and an authorization server that tells them by introspection.

It says of every token what stands in it, those for another base too, and adds the names of SMART 1 to scopes.
"""

import json
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from smartauth_probe.bad_claims import CHANGES
from smartauth_probe.bad_token import BadToken
from smartauth_probe.catalogue import kinds
from smartauth_probe.requests import PRESENTATIONS, presentation
from smartauth_probe.tokens.own_key import GoodClaims
from smartauth_probe.tokens.source import NoToken, Wanted
from tests.smartauth_probe.small_server import OpenTokens

LIFETIME = 3_600
WORDS = {"rs": ("read",), "cud": ("write",), "cruds": ("*", "read", "write")}


class ClaimsTokens(OpenTokens):
    """Good ones for that base, and those of the catalogue whose claims, or whose request, are bad."""

    def __init__(self, base: str) -> None:
        self._base = base

    def claims(self, wanted: Wanted) -> dict[str, Any]:
        now = int(time.time())
        said = json.loads(urlsafe_b64decode(super().token(wanted)))
        about = {"active": True, "iss": "https://as.example", "aud": self._base, "client_id": "app"}
        return {**about, "iat": now, "exp": now + LIFETIME, "sub": "amy", **said}

    def token(self, wanted: Wanted) -> str:
        return _encoded(self.claims(wanted))

    def bad_token(self, kind: str, listens_at: str = "") -> BadToken:
        claims = self.claims(Wanted("patient/*.rs", self.patient))
        if kind in CHANGES:
            good = GoodClaims(claims=claims, other_patient="ben")
            value = _encoded(CHANGES[kind](claims, good))
        elif kind in PRESENTATIONS:
            value = _encoded(claims)
        else:
            raise NoToken("it has no signature")
        return BadToken(kinds()[kind], value, self._base, presentation(kind, value, self.patient))


def _encoded(claims: object) -> str:
    return urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def told(token: str) -> Any:
    """What introspection says of it: what stands in it, while it lives."""
    try:
        claims = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        is_live = isinstance(claims, dict) and float(claims["exp"]) > time.time()
    except (ValueError, TypeError, KeyError):
        return {"active": False}
    if not is_live:
        return {"active": False}
    if isinstance(claims.get("scope"), str):
        claims["scope"] = " ".join(dict.fromkeys(each for scope in claims["scope"].split(" ") for each in _both(scope)))
    return claims


def _both(scope: str) -> Iterator[str]:
    """A scope and what it is in SMART 1, where that has a word for it."""
    yield scope
    name, _, letters = scope.partition(".")
    if "?" not in scope and letters in ("rs", "cud", "cruds"):
        yield from (
            f"{name}.{word}" for word in {"rs": ["read"], "cud": ["write"], "cruds": ["*", "read", "write"]}[letters]
        )


@contextmanager
def introspection() -> Iterator[str]:
    """The address of its endpoint."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            body = json.dumps(told(form.get("token", [""])[0])).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}/introspect"
    finally:
        listener.shutdown()
        listener.server_close()
