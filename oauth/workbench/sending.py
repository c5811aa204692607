"""Sends a token to the FHIR server that it is for, and reads of the answer what a verdict needs."""

import json
import re
import time
from dataclasses import dataclass

import httpx

from smartauth_probe.requests import Presentation

SECONDS = 5.0
BODY_LIMIT = 65_536
HEADERS = (("Accept", "application/fhir+json"), ("Accept-Encoding", "identity"))
CUT = 15  # characters of a header that are shown: eight of a bearer token
_ERROR = re.compile(r'\berror="?(\w+)')
_TYPE = re.compile(r'"resourceType"\s*:\s*"([A-Za-z]+)"')


class NoAnswer(Exception):
    """Why there is no answer, in words for a developer."""


@dataclass(frozen=True, slots=True)
class Received:
    """The status, the challenge, and which resource came; nothing else of the answer is kept."""

    status: int
    challenge: str = ""
    resource: str = ""

    @property
    def error(self) -> str:
        """The error that the challenge names, "" for none (RFC 6750 §3)."""
        found = _ERROR.search(self.challenge)
        return found[1] if found else ""


def can_be_sent(request: Presentation) -> bool:
    """Only what changes nothing, and what HTTP can carry."""
    return request.method == "GET" and all(value.isascii() and value.isprintable() for _, value in request.headers)


def send(base: str, request: Presentation) -> Received:
    """The answer within five seconds; no redirect is followed and no proxy asked. Raises NoAnswer."""
    deadline = time.monotonic() + SECONDS
    query = f"?{request.query}" if request.query else ""
    try:
        with (
            httpx.Client(trust_env=False, follow_redirects=False, timeout=SECONDS) as client,
            client.stream("GET", f"{base}/{request.path}{query}", headers=[*request.headers, *HEADERS]) as response,
        ):
            body = _read_body(response, deadline)
            challenge = response.headers.get("www-authenticate", "")
            return Received(response.status_code, challenge[:500], _resource(body))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoAnswer(f"{base} did not answer: {type(error).__name__}") from None


def _read_body(response: httpx.Response, deadline: float) -> bytes:
    """As much of it as is read. Raises NoAnswer."""
    body = b""
    for piece in response.iter_raw():
        body += piece
        if len(body) > BODY_LIMIT:
            break
        if time.monotonic() > deadline:
            raise NoAnswer(f"The answer took longer than {SECONDS:.0f} seconds")
    return body


def _resource(body: bytes) -> str:
    """Such as Patient/amy, or the type alone; of JSON that was cut the first type in it."""
    text = body[:BODY_LIMIT].decode(errors="replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        first = _TYPE.search(text)
        return first[1] if first else ""
    if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
        return ""
    identifier = found.get("id")
    return f"{found['resourceType']}/{identifier}" if isinstance(identifier, str) else str(found["resourceType"])


def request_head(base: str, request: Presentation) -> str:
    """The request as it was sent, with the first characters of each header only."""
    url = httpx.URL(f"{base}/{request.path}")
    target = f"{url.path}?access_token=..." if request.query else url.path
    headers = [f"{name}: {value[:CUT]}{'...' if len(value) > CUT else ''}" for name, value in request.headers]
    return "\n".join([f"GET {target} HTTP/1.1", f"Host: {url.netloc.decode()}", *headers, f"Accept: {HEADERS[0][1]}"])
