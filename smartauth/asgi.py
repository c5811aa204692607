"""What uvicorn serves: the machines' paths at once, everything else by Django in a pool of threads."""

import os
from typing import Any, cast

import django
from a2wsgi import WSGIMiddleware

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartauth.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402

from introspection.introspect import introspect  # noqa: E402
from introspection.revoke import revoke  # noqa: E402
from oauth.http.answer import send_headers_too_long  # noqa: E402
from oauth.http.asgi import Receive, Scope, Send  # noqa: E402
from oauth.http.endpoint import Endpoint  # noqa: E402
from oauth.tokens.endpoint import token  # noqa: E402
from smart.http import limits  # noqa: E402
from smart.http.cors import Cors  # noqa: E402
from smartauth.request_buffer import RequestBuffer  # noqa: E402
from smartauth.startup_checks import refuse_unsafe_start  # noqa: E402
from smartauth.wsgi import application as people  # noqa: E402

MACHINES = {
    "/o/token": Endpoint(token, Cors.REGISTERED),
    "/o/introspect": Endpoint(introspect),
    "/o/revoke": Endpoint(revoke, Cors.REGISTERED),
}
_people = RequestBuffer(WSGIMiddleware(cast(Any, people), workers=settings.SMARTAUTH_WEB_THREADS))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The one ASGI application."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] != "http":
        await send({"type": "websocket.close", "code": 1000})
    elif machine := MACHINES.get(scope["path"]):
        await machine(scope, receive, send)
    elif limits.has_too_long_headers(scope["headers"]):
        await send_headers_too_long(send)
    else:
        await _people(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await refuse_unsafe_start()
            except SystemExit as refusal:
                await send({"type": "lifespan.startup.failed", "message": str(refusal)})
                return
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
