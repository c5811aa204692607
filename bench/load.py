"""The load: keep-alive connections that each ask one thing after the other, and check every answer.

`python -m bench.load PLAN.json CONNECTIONS WARM-UP SECONDS` prints what it saw as JSON. Its starter pins it.
"""

import asyncio
import json
import random
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, cycle
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import uvloop
from joserfc import jwt
from joserfc.jwk import ECKey

from bench import decisions, exchange, introspections
from bench.contenders import ES384, INTROSPECTION, OPAQUE, REFRESH, REVOCATION, SECRET, SIGNED, basic

SCOPE = "system/*.rs"
# how many dots such a token has, where it matters
DOTS = {SECRET: None, SIGNED: 2, OPAQUE: 0}
ENDED = ""  # what the answer to a revocation says
# what is asked for with something that is good once
GOOD_ONCE = frozenset({ES384, REVOCATION, exchange.EXCHANGE, introspections.BY_ASSERTION})
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
HEAD_END = b"\r\n\r\n"
LENGTH, CHUNKED = b"content-length:", b"transfer-encoding: chunked"

Request = tuple[bytes, str]  # and what its answer must name


@dataclass(slots=True)
class Results:
    """What came back while it counted."""

    counting: bool = False
    waited: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at a time."""

    def __init__(self, requests: Iterator[Request], results: Results) -> None:
        self._requests, self._results = requests, results
        self._received = b""
        self._expected = ""
        self._sent_at = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        found = self._next_request()
        if found is None:
            self._results.wrong.append("nothing is left that is good once: fewer seconds, or more of it a second")
            self._transport.close()
            return
        request, self._expected = found
        self._sent_at = time.perf_counter_ns()
        self._transport.write(request)

    def _next_request(self) -> Request | None:
        return next(self._requests, None)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(HEAD_END)
        body = body_of(head, rest) if end else None
        if body is None:
            return
        waited = time.perf_counter_ns() - self._sent_at
        self._received = b""
        if not is_right(head, body, self._expected):
            self._results.wrong.append((head + end + body).decode("latin-1"))
        if self._results.counting:
            self._results.waited.append(waited)
        self._answered(body)
        self._send()

    def _answered(self, body: bytes) -> None:
        """Looks at an answer for what the next request needs."""

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._transport.is_closing():
            self._results.wrong.append(f"the connection was lost: {exc}")


class Refreshing(Connection):
    """A connection that refreshes with what the answer before gave it."""

    def __init__(self, plan: dict[str, Any], start: int, results: Results) -> None:
        super().__init__(iter(()), results)
        self._plan, (self._token, self._client) = plan, plan["tokens"][start]

    def _next_request(self) -> Request | None:
        form = {"grant_type": "refresh_token", "refresh_token": self._token}
        return _request(self._plan, form, basic(self._client)), self._token

    def _answered(self, body: bytes) -> None:
        self._token = json.loads(body).get("refresh_token", "")


def body_of(head: bytes, received: bytes) -> bytes | None:
    """The body once all of it is there. Without a length or chunks an answer would not end, so it counts as wrong."""
    named = head.lower()
    _, found, length = named.partition(LENGTH)
    if not found and CHUNKED in named:
        return _joined(received)
    return received if len(received) >= int(length.partition(b"\r\n")[0] or 0) else None


def _joined(received: bytes) -> bytes | None:
    """The chunks of a body once all of them are there (RFC 9112 §7.1)."""
    body = b""
    while True:
        size, found, received = received.partition(b"\r\n")
        if not found or len(received) < (length := int(size, 16)) + len(b"\r\n"):
            return None
        if not length:
            return body
        body, received = body + received[:length], received[length + 2 :]


def is_right(head: bytes, body: bytes, expected: str) -> bool:
    """Whether this is a 200 with a token of that kind, or a token of that client is active, or decided rightly."""
    if not head.startswith(b"HTTP/1.1 200 "):
        return False
    if expected == ENDED:
        return not body
    answer = json.loads(body)
    if expected == introspections.NOTHING:
        return introspections.is_inactive(answer)
    if expected == exchange.SCOPE:
        return exchange.is_right(answer)
    if "resourceType" in answer:
        return str(answer["total"] if answer["resourceType"] == "Bundle" else answer["id"]) == expected
    if "refresh_token" in answer:
        return bool(answer["access_token"]) and answer["refresh_token"] != expected
    if expected in DOTS:
        return answer["scope"] == SCOPE and _is_of_kind(answer["access_token"], DOTS[expected])
    if "decision" in answer:
        return decisions.is_right(answer, expected)
    return answer["active"] is True and answer["client_id"] == expected


def _is_of_kind(token: str, dots: int | None) -> bool:
    return bool(token) and dots in (None, token.count("."))


def _requests(plan: dict[str, Any]) -> list[Request]:
    """The bytes of each request, and the client_id, the scope or the resource that its answer must name."""
    if "requests" in plan:
        return [(request.encode(), expected) for request, expected in plan["requests"]]
    if plan["what"] == INTROSPECTION:
        return [
            (_request(plan, {"token": token}, plan["authorization"]), client_id) for token, client_id in plan["tokens"]
        ]
    if plan["what"] in (decisions.READ, decisions.SEARCH):
        bodies = decisions.bodies(plan["what"], plan["base"], plan["tokens"])
        named = zip(bodies, plan["tokens"], strict=True)
        return [(_post(plan, body, JSON, plan["authorization"]), client_id) for body, (_, client_id) in named]
    if plan["what"] in introspections.ROWS:
        proofs = _assertions(plan) if plan["what"] == introspections.BY_ASSERTION else iter(())
        asked = introspections.bodies(plan["what"], plan["tokens"], proofs)
        return [(_request(plan, body, plan["authorization"]), expected) for body, expected in asked]
    if plan["what"] == exchange.EXCHANGE:
        return [(_request(plan, exchange.form(code), basic(name)), exchange.SCOPE) for code, name in plan["tokens"]]
    if plan["what"] == REVOCATION:
        return [(_request(plan, {"token": token}, basic(client_id)), ENDED) for token, client_id in plan["tokens"]]
    form = {"grant_type": "client_credentials", "scope": SCOPE}
    if plan["what"] == ES384:
        return [(_request(plan, {**form, **proof}), SECRET) for proof in _assertions(plan)]
    resource = {"resource": plan["resource"]} if plan["what"] == SIGNED else {}
    return [(_request(plan, form | resource, basic(client_id)), plan["what"]) for client_id in plan["clients"]]


def _request(plan: dict[str, Any], form: dict[str, str], authorization: str = "") -> bytes:
    return _post(plan, urlencode(form), FORM, authorization)


def _post(plan: dict[str, Any], body: str, media_type: str, authorization: str) -> bytes:
    credentials = f"Authorization: {authorization}\r\n" if authorization else ""
    return (
        f"POST {plan['path']} HTTP/1.1\r\nHost: 127.0.0.1:{plan['port']}\r\n{credentials}Accept: application/json\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _assertions(plan: dict[str, Any]) -> Iterator[dict[str, str]]:
    """As many assertions as are needed, each good once, by all clients in turn (RFC 7523 §2.2)."""
    key = ECKey.import_key(json.loads(Path(plan["key"]).read_text(encoding="utf-8"))["private"])
    audience, expires = f"http://127.0.0.1:{plan['port']}{plan['audience']}", int(time.time()) + 290
    for number in range(plan["count"]):
        client_id = plan["clients"][number % len(plan["clients"])]
        claims = {"iss": client_id, "sub": client_id, "aud": audience, "exp": expires, "jti": secrets.token_hex(16)}
        signed = jwt.encode({"alg": "ES384", "kid": "bench"}, claims, key, algorithms=["ES384"])
        yield {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": signed,
        }


def _connections(plan: dict[str, Any], connections: int) -> list[Callable[[Results], Connection]]:
    """Makes each connection."""
    if plan["what"] == REFRESH:
        return [partial(Refreshing, plan, number) for number in range(connections)]
    parts = shares(_requests(plan), connections, once=plan["what"] in GOOD_ONCE)
    return [partial(Connection, part) for part in parts]


def shares(requests: list[Request], connections: int, *, once: bool) -> list[Iterator[Request]]:
    """What each connection asks, from a place of its own on; if `once`, nothing is asked twice by any of them.

    That is in no order then: what was made together would be asked for together, and by few clients at a time.
    """
    if once:
        return [iter(random.Random(0).sample(requests, len(requests)))] * connections
    starts = [number * len(requests) // connections for number in range(connections)]
    return [chain(requests[start:], cycle(requests)) for start in starts]


async def _load(plan: dict[str, Any], connections: int, warm_up: float, seconds: float) -> dict[str, Any]:
    results, make = Results(), _connections(plan, connections)
    loop, opened = asyncio.get_running_loop(), []
    for each in make:
        connecting = loop.create_connection(partial(each, results), "127.0.0.1", plan["port"])
        opened.append((await connecting)[0])
    await asyncio.sleep(warm_up)
    results.counting, began, cpu = True, time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    results.counting, took, cpu = False, time.perf_counter() - began, time.process_time() - cpu
    for transport in opened:
        transport.close()
    return _summary(results, took, cpu)


def _summary(results: Results, took: float, cpu: float) -> dict[str, Any]:
    waited = sorted(results.waited) or [0]
    return {
        "requests": len(results.waited),
        "seconds": took,
        "p50": waited[len(waited) // 2] / 1e6,
        "p99": waited[len(waited) * 99 // 100] / 1e6,
        "busy": cpu / took,
        "wrong": len(results.wrong),
        "first_wrong": results.wrong[:1],
    }


def main() -> None:
    file, connections, warm_up, seconds = sys.argv[1:]
    plan = json.loads(Path(file).read_text(encoding="utf-8"))
    print(json.dumps(uvloop.run(_load(plan, int(connections), float(warm_up), float(seconds)))))


if __name__ == "__main__":
    main()
