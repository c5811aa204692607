"""Sends a token to the FHIR server that it is for, and reads of the answer what a verdict needs."""

import json
import re
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from oauth.workbench.challenge import bearer_error
from smart.text import escape_surrogates
from smartauth_probe.requests import Presentation

SECONDS = 5.0
BODY_LIMIT = 65_536
HEADERS = (("Accept", "application/fhir+json"), ("Accept-Encoding", "identity"))
OUTCOME = "OperationOutcome"
OTHER_JSON = "JSON that is no FHIR resource"
CUT = 15  # characters of a header that are shown: eight of a bearer token
_TYPE = re.compile(r'"resourceType"\s*:\s*"([A-Za-z]+)"')


class NoAnswer(Exception):
    """Why there is no answer, in words for a developer."""


@dataclass(frozen=True, slots=True)
class Received:
    """The status, the challenge, and which resource came; nothing else of the answer is kept.

    `resource` is "" where none was found; `is_unread` where there is more in the body than this page understands.
    """

    status: int
    challenge: str = ""
    resource: str = ""
    is_unread: bool = False

    @property
    def error(self) -> str | None:
        """The error that the Bearer challenge names, "" for none; None without such a challenge (RFC 6750 §3)."""
        return bearer_error(self.challenge)


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
            challenge = response.headers.get("www-authenticate", "")
            return Received(response.status_code, challenge[:500], *_read_resource(body))
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


def _read_resource(body: bytes) -> tuple[str, bool]:
    """Which resource the body holds, such as Patient/amy, and whether there is more that was not understood.

    Of JSON that was cut the first type in it.
    """
    text = body[:BODY_LIMIT].decode(errors="replace")
    try:
        return _named_content(json.loads(text))
    except (ValueError, RecursionError):
        types: list[str] = _TYPE.findall(text)
        return next((name for name in types if name != OUTCOME), OUTCOME if types else ""), bool(text.strip())


def _named_content(found: Any) -> tuple[str, bool]:
    """The resource that it is or, inside of anything, the first that is no OperationOutcome.

    Other JSON is named where it has structure, like a record. Flat members may be an error or data: nobody can tell.
    """
    inside = next((name for name in map(_name, _objects(found)) if name and not is_outcome(name)), "")
    if inside or _name(found):
        return inside or _name(found), False
    members = list(found.values()) if isinstance(found, dict) else [found]
    if any(isinstance(member, dict | list) and member for member in members):
        return OTHER_JSON, False
    return "", found not in (None, "", [], {})


def _objects(found: Any) -> Iterator[Any]:
    """Every object and array in it, itself first, outer ones before inner ones."""
    waiting = deque([found])
    while waiting:
        each = waiting.popleft()
        if isinstance(each, dict | list):
            yield each
            waiting.extend(each.values() if isinstance(each, dict) else each)


def _name(found: Any) -> str:
    """Type and id of a resource, "" for anything else."""
    kind = found.get("resourceType") if isinstance(found, dict) else None
    if not isinstance(kind, str):
        return ""
    name = f"{kind}/{found['id']}" if isinstance(found.get("id"), str) else kind
    return escape_surrogates(name)


def is_outcome(resource: str) -> bool:
    """Whether this is an OperationOutcome, which tells of an error."""
    return resource.partition("/")[0] == OUTCOME


def request_head(base: str, request: Presentation) -> str:
    """The request as it was sent, with the first characters of each header only."""
    url = httpx.URL(f"{base}/{request.path}")
    target = f"{url.path}?access_token=..." if request.query else url.path
    headers = [f"{name}: {value[:CUT]}{'...' if len(value) > CUT else ''}" for name, value in request.headers]
    return "\n".join([f"GET {target} HTTP/1.1", f"Host: {url.netloc.decode()}", *headers, f"Accept: {HEADERS[0][1]}"])
