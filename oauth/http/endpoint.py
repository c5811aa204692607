"""The machines' door: what token, introspect and revoke all need, done once. No middleware, no session, no ORM."""

import asyncio
import json
import logging
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, connections

from accounts import clock, rate_limit
from audit.event_kinds import EventKind
from audit.trail import Event, record
from oauth.clients.credentials import AuthenticatedClient, Credentials, parse_credentials
from oauth.http.cors import cors_headers_for
from smart.http import addresses, limits
from smart.http.cors import Cors, is_preflight
from smart.http.errors import (
    InvalidClient,
    InvalidRequest,
    OAuthError,
    ServerError,
    TemporarilyUnavailable,
    TooManyRequests,
)
from smart.http.parameters import MalformedParameters, Parameters
from smart.text import is_printable_ascii

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
T = TypeVar("T")

log = logging.getLogger("smartauth.request")
FORM = "application/x-www-form-urlencoded"
LONGEST_CLIENT_ID = 100
NEVER_IN_QUERY = frozenset({"client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "token"})
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
if settings.SECURE_HSTS_SECONDS:
    _HEADERS.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains; preload"))
_PARSED = "smartauth.request"  # where the request stands in its ASGI scope once it is read
DATABASE_ERRORS = (
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    sqlite3.OperationalError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a status, a body that is JSON or empty, headers beside those every answer has."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class MachineRequest:
    """One request of a machine, parsed: its parameters, what it presented, where it came from, and when."""

    path: str
    headers: dict[bytes, bytes]
    peer: str
    parameters: Parameters
    credentials: Credentials
    now: int
    client: AuthenticatedClient | None = None

    @property
    def address(self) -> str:
        """The caller's address, through the proxies that are trusted (PR-05)."""
        forwarded = self.headers.get(b"x-forwarded-for", b"").decode("latin-1")
        return addresses.caller_address(self.peer, forwarded, settings.SMARTAUTH_TRUSTED_PROXIES)

    def required(self, name: str) -> str:
        """The parameter, or InvalidRequest if it is missing, empty or repeated."""
        try:
            return self.parameters[name]
        except KeyError:
            raise InvalidRequest(f"{name} is missing") from None


Handler = Callable[[MachineRequest], Awaitable[Answer]]


class WriterPool:
    """A small pool of threads for what writes: each call is one plain function with a transaction of its own."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="writer")

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, run in a thread. A connection that broke is renewed and the work done again."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _run_with_renewal, work)


def _run_with_renewal(work: Callable[[], T]) -> T:
    connection = connections["default"]
    try:
        return work()
    except (OperationalError, InterfaceError):
        if connection.is_usable():
            raise
        connection.close()
        return work()


writer_pool = WriterPool(settings.SMARTAUTH_TOKEN_THREADS)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An ASGI application for one path of the machines' side."""

    handler: Handler
    cors: Cors = Cors.NONE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, request_id = time.perf_counter_ns(), secrets.token_hex(8)
        headers = _headers_by_name(scope["headers"])
        answer = await self._answer(scope, headers, receive)
        if b"origin" in headers and self.cors is not Cors.NONE:
            answer = await self._shared(answer, scope, headers)
        await _send(send, answer, request_id)
        took = (time.perf_counter_ns() - started) // 1000
        level = logging.DEBUG if answer.status == HTTPStatus.OK else logging.INFO
        log.log(level, "%s %s %s %d %d us", request_id, scope["method"], scope["path"], answer.status, took)

    async def _shared(self, answer: Answer, scope: Scope, headers: dict[bytes, bytes]) -> Answer:
        origin, request = headers[b"origin"].decode("latin-1"), scope.get(_PARSED)
        method = headers.get(b"access-control-request-method", b"").decode("latin-1")
        asked = is_preflight(scope["method"], origin, method)
        client = request.client.client_id if request and request.client else ""
        try:
            added = await writer_pool.run(lambda: cors_headers_for(self.cors, origin, client=client, preflight=asked))
        except DATABASE_ERRORS:
            return answer
        if asked:
            return Answer(HTTPStatus.OK, b"", tuple(added.items()))
        return Answer(answer.status, answer.body, (*answer.headers, *added.items()))

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Answer:
        try:
            return await self._handled(scope, headers, receive)
        except OAuthError as error:
            return error_answer(error)
        except DATABASE_ERRORS:
            log.exception("the database did not answer")
            return error_answer(TemporarilyUnavailable("the server cannot answer now, try again"))
        except Exception:
            log.exception("%s failed", scope["path"])
            return error_answer(ServerError("something failed here, try again later"))

    async def _handled(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Answer:
        if scope["method"] != "POST":
            return _protocol_error(HTTPStatus.METHOD_NOT_ALLOWED, "only POST is allowed here", ("Allow", "POST"))
        if limits.has_too_long_headers(scope["headers"]):
            return _protocol_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are too long")
        body = await _read_body(headers, receive)
        if body is None:
            return _protocol_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too long")
        parameters = _parse_parameters(headers, scope["query_string"], body)
        presented = parse_credentials(_authorization_header(scope["headers"]), parameters)
        peer = scope["client"][0] if scope.get("client") else ""
        request = MachineRequest(scope["path"], headers, peer, parameters, presented, clock.now())
        scope[_PARSED] = request
        try:
            return await self.handler(request)
        except InvalidClient as error:
            raise await count_failure_in_pool(error, request) from None


async def count_failure_in_pool(error: OAuthError, request: MachineRequest) -> OAuthError:
    """The refusal, or 429 once there were too many, counted in a thread that writes."""
    return await writer_pool.run(lambda: count_failure(error, request))


def count_failure(error: OAuthError, request: MachineRequest) -> OAuthError:
    """The refusal, or 429 once this client, or who names none, failed too often from this address (E58, TK-10).

    A failure is recorded (CL-15) until then; a success is not, `issued` and the like tell of it.
    """
    wait = rate_limit.count_failure("client", request.credentials.client_id, request.address, now=request.now)
    if wait:
        return TooManyRequests("too many failures, wait", retry_after=wait)
    record(_failure_event(error, request))
    return error


def _failure_event(error: OAuthError, request: MachineRequest) -> Event:
    named = request.credentials.client_id
    known_form = is_printable_ascii(named) and len(named) <= LONGEST_CLIENT_ID
    return Event(
        kind=EventKind.CLIENT_AUTHENTICATION_FAILED,
        at=request.now,
        client=named if known_form else "",
        address=request.address,
        reason=error.hint or error.description,
    )


def _headers_by_name(lines: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers, those that were sent in several lines joined in order (RFC 9110 §5.3)."""
    headers = dict(lines)
    if len(headers) == len(lines):
        return headers
    joined: dict[bytes, list[bytes]] = {}
    for name, value in lines:
        joined.setdefault(name, []).append(value)
    return {name: b", ".join(values) for name, values in joined.items()}


def _parse_parameters(headers: dict[bytes, bytes], query: bytes, body: bytes) -> Parameters:
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != FORM.encode():
        raise InvalidRequest(f"the body must be {FORM}")
    try:
        if query and not NEVER_IN_QUERY.isdisjoint(Parameters.parse(query)):
            raise InvalidRequest("credentials, codes and tokens belong in the body, never in the URL")
        parameters = Parameters.parse(body)
    except MalformedParameters as error:
        raise InvalidRequest(f"the request is malformed: {error}") from None
    if parameters.repeated:
        raise InvalidRequest(f"{min(parameters.repeated)} was sent twice")
    return parameters


def _authorization_header(headers: list[tuple[bytes, bytes]]) -> str | None:
    found = [value for name, value in headers if name == b"authorization"]
    if len(found) > 1:
        raise InvalidRequest("the Authorization header was sent twice")
    return found[0].decode("latin-1") if found else None


async def _read_body(headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
    """The whole body, or None once it is longer than anybody needs."""
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > limits.MAX_MACHINE_BODY:
        return None
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequest("the request ended early")
        body += message.get("body", b"")
        if len(body) > limits.MAX_MACHINE_BODY:
            return None
        if not message.get("more_body"):
            return bytes(body)


def error_answer(error: OAuthError) -> Answer:
    """An OAuthError as RFC 6749 §5.2 writes it."""
    body = {"error": error.code, "error_description": error.description or error.code}
    headers = dict(error.headers)
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    return Answer(error.status, json.dumps(body).encode(), tuple(headers.items()))


def _protocol_error(status: HTTPStatus, description: str, *headers: tuple[str, str]) -> Answer:
    body = {"error": InvalidRequest.code, "error_description": description}
    return Answer(status, json.dumps(body).encode(), headers)


async def _send(send: Send, answer: Answer, request_id: str) -> None:
    headers = [*_HEADERS, (b"x-request-id", request_id.encode()), (b"content-length", b"%d" % len(answer.body))]
    headers += [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def send_headers_too_long(send: Send) -> None:
    """The answer to headers that are longer than anybody needs, on either side (RFC 6585 §5)."""
    answer = _protocol_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are too long")
    await _send(send, answer, secrets.token_hex(8))
