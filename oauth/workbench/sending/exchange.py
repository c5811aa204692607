"""Sends a token to the FHIR server that it is for, and reads of the answer what a verdict needs."""

import time

import httpx

from smartauth_probe.received import BODY_LIMIT, Received
from smartauth_probe.requests import Presentation

SECONDS = 5.0
HEADERS = (("Accept", "application/fhir+json"), ("Accept-Encoding", "identity"))
CUT = 15  # characters of a header that are shown: eight of a bearer token


class NoAnswer(Exception):
    """Why there is no answer, in words for a developer."""


def can_be_sent(request: Presentation) -> bool:
    """Only what changes nothing, and what HTTP can carry."""
    return request.method == "GET" and all(value.isascii() and value.isprintable() for _, value in request.headers)


def send(base: str, request: Presentation) -> Received:
    """The answer; no redirect is followed and no proxy asked. Raises NoAnswer.

    Each read waits for five seconds; a body that still comes five seconds after the request began is given up.
    """
    deadline = time.monotonic() + SECONDS
    query = f"?{request.query}" if request.query else ""
    try:
        with (
            httpx.Client(trust_env=False, follow_redirects=False, timeout=SECONDS) as client,
            client.stream("GET", f"{base}/{request.path}{query}", headers=[*request.headers, *HEADERS]) as response,
        ):
            body = _read_body(response, deadline)
            return Received.of(response.status_code, response.headers.get("www-authenticate", ""), body)
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


def request_head(base: str, request: Presentation) -> str:
    """The request as it was sent, with the first characters of each header only."""
    url = httpx.URL(f"{base}/{request.path}")
    target = f"{url.path}?access_token=..." if request.query else url.path
    headers = [f"{name}: {value[:CUT]}{'...' if len(value) > CUT else ''}" for name, value in request.headers]
    return "\n".join([f"GET {target} HTTP/1.1", f"Host: {url.netloc.decode()}", *headers, f"Accept: {HEADERS[0][1]}"])
