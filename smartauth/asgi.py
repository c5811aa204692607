"""What uvicorn serves: the machines' paths at once, everything else by Django in a pool of threads."""

import asyncio
import os
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import django
from a2wsgi import WSGIMiddleware

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartauth.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402

from introspection.evaluation import evaluate, evaluate_many  # noqa: E402
from introspection.gateway import answer_gateway, gateway_error, parse_gateway_request  # noqa: E402
from introspection.introspect import introspect  # noqa: E402
from introspection.revoke import revoke  # noqa: E402
from oauth.http.asgi import Receive, Scope, Send  # noqa: E402
from oauth.http.endpoint import Endpoint  # noqa: E402
from oauth.http.machine_request import parse_json_request  # noqa: E402
from oauth.http.machine_response import MachineResponse, invalid_request, send_headers_too_long, send_response  # noqa: E402
from oauth.tokens.endpoint import token  # noqa: E402
from smart.decisions.gateway import GATEWAY  # noqa: E402
from smart.http import limits  # noqa: E402
from smart.http.cors import Cors  # noqa: E402
from smart.http.errors import InvalidRequest  # noqa: E402
from smart.remembered import forget  # noqa: E402
from smartauth import development_door  # noqa: E402
from smartauth.development_machines import Machine, development_machines  # noqa: E402
from smartauth.readiness_machine import readiness_machine  # noqa: E402
from smartauth.request_buffer import RequestBuffer  # noqa: E402
from smartauth.startup_checks import UnsafeStart, gate  # noqa: E402
from smartauth.wsgi import NOT_READY  # noqa: E402
from smartauth.wsgi import application as people  # noqa: E402

MACHINES = {
    "/o/token": Endpoint(token, Cors.REGISTERED),
    "/o/introspect": Endpoint(introspect),
    "/o/revoke": Endpoint(revoke, Cors.REGISTERED),
    "/access/v1/evaluation": Endpoint(evaluate, parse=parse_json_request, echoes_request_id=True),
    "/access/v1/evaluations": Endpoint(
        evaluate_many, parse=parse_json_request, longest_body=limits.MAX_BATCH_BODY, echoes_request_id=True
    ),
    GATEWAY: Endpoint(
        answer_gateway(evaluate),
        parse=parse_gateway_request,
        echoes_request_id=True,
        takes_any_method=True,
        answer_error=gateway_error,
    ),
}
machines: Mapping[str, Machine] = {**MACHINES, **(development_machines(MACHINES) if settings.SMARTAUTH_DEV else {})}
READING = frozenset({"GET", "HEAD"})
FORGET_SECONDS = 3600
HEALTHY = MachineResponse(HTTPStatus.OK, b'{"status": "ok"}')
_people = RequestBuffer(WSGIMiddleware(cast(Any, people), workers=settings.SMARTAUTH_WEB_THREADS))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The one ASGI application."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] != "http":
        await send({"type": "websocket.close", "code": 1000})
    elif settings.SMARTAUTH_DEV and (refusal := _development_refusal(scope)):
        await send_response(scope, send, refusal)
    elif scope["path"] == "/healthz":
        await send_response(scope, send, _health(scope["method"]))
    elif not gate.is_open and not await _has_opened():
        await send_response(scope, send, NOT_READY)
    elif scope["path"] == "/readyz" and scope["method"] in READING:
        await send_response(scope, send, await readiness_machine.answer())
    elif machine := machines.get(scope["path"]):
        await machine(scope, receive, send)
    elif scope["path"].startswith(f"{GATEWAY}/"):  # the URL of a client follows, which nobody shall log
        await machines[GATEWAY]({**scope, "path": GATEWAY}, receive, send)
    elif limits.has_too_long_headers(scope["headers"]):
        await send_headers_too_long(scope, send)
    else:
        await _people(scope, receive, send)


def _development_refusal(scope: Scope) -> MachineResponse | None:
    peer = scope["client"][0] if scope.get("client") else ""
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return development_door.refusal(scope["path"], peer, ",".join(hosts))


def _health(method: str) -> MachineResponse:
    """The loop answers: it says nothing of databases or threads, so that busy ones do not restart the process."""
    if method in READING:
        return HEALTHY
    error = InvalidRequest("only GET is allowed here", rule="TK-01")
    return invalid_request(HTTPStatus.METHOD_NOT_ALLOWED, error, ("Allow", "GET, HEAD"))


async def _has_opened() -> bool:
    return gate.is_due() and await asyncio.to_thread(gate.try_open)


def _forget_every_hour() -> None:
    """What is remembered of people goes an hour later at most, and nothing on the way of a request waits for it."""
    forget()
    asyncio.get_running_loop().call_later(FORGET_SECONDS, _forget_every_hour)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await asyncio.to_thread(gate.open)
            except UnsafeStart as refusal:
                await send({"type": "lifespan.startup.failed", "message": f"smartauth does not start: {refusal}"})
                return
            _forget_every_hour()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
