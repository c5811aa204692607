"""The machines' door: what token, introspect and revoke all need, done once. No middleware, no session."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus

from django.conf import settings

from oauth.http.asgi import Receive, Scope, Send
from oauth.http.bounded_body import BodyTooLong, ClientDisconnected, read_body
from oauth.http.cors import cors_headers_for
from oauth.http.failures import count_failure_in_pool
from oauth.http.machine_request import MachineRequest, headers_by_name, parse_request
from oauth.http.machine_response import (
    HEADERS_TOO_LONG,
    MachineResponse,
    invalid_request,
    oauth_error_response,
    random_request_id,
    send_response,
)
from oauth.http.oauth_errors import database_unavailable, something_failed
from oauth.http.watchers import machine_watchers, tell_machine_watchers
from oauth.http.writer_pool import DATABASE_ERRORS, writer_pool
from smart.http import limits
from smart.http.cors import Cors, is_preflight
from smart.http.errors import InvalidClient, InvalidRequest, OAuthError
from smart.text import is_printable_ascii

log = logging.getLogger("smartauth.request")

Handler = Callable[[MachineRequest], Awaitable[MachineResponse]]
Parser = Callable[[Scope, dict[bytes, bytes], bytes], MachineRequest]
AnswerError = Callable[[OAuthError], MachineResponse]
LONGEST_REQUEST_ID = 128
_PARSED = "smartauth.request"  # where the request stands in its ASGI scope once it is read


def parsed_request(scope: Scope) -> MachineRequest | None:
    """The request that was read from this scope; None before that, and where it has no such form."""
    found: MachineRequest | None = scope.get(_PARSED)
    return found


def _request_id_of(headers: dict[bytes, bytes]) -> str:
    """The id that the caller gave its request, "" where it is none that a header should carry back."""
    header = headers.get(b"x-request-id")
    if not header:
        return ""
    sent = header.decode("latin-1")
    return sent if len(sent) <= LONGEST_REQUEST_ID and is_printable_ascii(sent) and " " not in sent else ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An ASGI application for one path of the machines' side."""

    handler: Handler
    cors: Cors = Cors.NONE
    parse: Parser = parse_request
    longest_body: int = limits.MAX_MACHINE_BODY
    echoes_request_id: bool = False
    takes_any_method: bool = False
    answer_error: AnswerError = oauth_error_response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, headers = time.perf_counter_ns(), headers_by_name(scope["headers"])
        request_id = (self.echoes_request_id and _request_id_of(headers)) or random_request_id()
        answer = await self._answer(scope, headers, receive)
        if answer.explanation is not None and settings.SMARTAUTH_DEV:
            answer = answer.with_reason()
        if b"origin" in headers and self.cors is not Cors.NONE:
            answer = await self._with_cors_headers(answer, scope, headers)
        if machine_watchers:
            tell_machine_watchers(scope, answer, (time.perf_counter_ns() - started) // 1000)
        await send_response(scope, send, answer, request_id)
        took = (time.perf_counter_ns() - started) // 1000
        level = logging.DEBUG if answer.status == HTTPStatus.OK else logging.INFO
        log.log(level, "%s %s %s %d %d us", request_id, scope["method"], scope["path"], answer.status, took)

    async def _with_cors_headers(
        self, answer: MachineResponse, scope: Scope, headers: dict[bytes, bytes]
    ) -> MachineResponse:
        origin, request = headers[b"origin"].decode("latin-1"), parsed_request(scope)
        method = headers.get(b"access-control-request-method", b"").decode("latin-1")
        preflight = is_preflight(scope["method"], origin, method)
        client = request.client.client_id if request and request.client else ""
        try:
            added = await writer_pool.run(
                lambda: cors_headers_for(self.cors, origin, client=client, preflight=preflight)
            )
        except DATABASE_ERRORS:
            return answer
        if preflight:
            return MachineResponse(HTTPStatus.OK, b"", tuple(added.items()))
        return replace(answer, headers=(*answer.headers, *added.items()))

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> MachineResponse:
        try:
            return await self._handle(scope, headers, receive)
        except OAuthError as error:
            return self.answer_error(error)
        except DATABASE_ERRORS:
            log.exception("the database did not answer")
            return oauth_error_response(database_unavailable())
        except Exception:
            log.exception("%s failed", scope["path"])
            return oauth_error_response(something_failed())

    async def _handle(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> MachineResponse:
        if scope["method"] != "POST" and not self.takes_any_method:
            error = InvalidRequest(
                "only POST is allowed here", rule="TK-01", case="E44", presented=scope["method"], expected="POST"
            )
            return invalid_request(HTTPStatus.METHOD_NOT_ALLOWED, error, ("Allow", "POST"))
        if limits.has_too_long_headers(scope["headers"]):
            return invalid_request(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, HEADERS_TOO_LONG)
        try:
            body = await read_body(receive, headers, self.longest_body)
        except BodyTooLong:
            error = InvalidRequest("the body is too long", rule="SD-20", expected=f"{self.longest_body} bytes")
            return invalid_request(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error)
        except ClientDisconnected:
            raise InvalidRequest("the request ended early", rule="TK-01") from None
        request = scope[_PARSED] = self.parse(scope, headers, body)
        try:
            return await self.handler(request)
        except InvalidClient as error:
            raise await count_failure_in_pool(error, request) from None
