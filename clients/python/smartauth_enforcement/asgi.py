"""The gate before an ASGI application: FastAPI, Starlette, Django."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from weakref import WeakKeyDictionary

from smartauth_enforcement.fhir_request import FhirRequest, Refused, path_below
from smartauth_enforcement.gate import Gate, Passage
from smartauth_enforcement.http_answer import NOT_BELOW_THE_BASE, TOO_LONG, HttpAnswer
from smartauth_enforcement.options import Enforcement
from smartauth_enforcement.request_headers import is_kept

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class AsgiMiddleware:
    """Lets nothing through to `app` that smartauth has not decided. `scope["smartauth"]` is the decision.

    Outside of it may stand what answers without records: CORS, compression. Websockets are closed.
    """

    def __init__(self, app: Application, enforcement: Enforcement) -> None:
        self.app, self.enforcement = app, enforcement
        self._gates: WeakKeyDictionary[asyncio.AbstractEventLoop, Gate] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked, gate, body = self._request(scope), self._gate(), _Body(receive)
        if asked is None:
            await _send(send, NOT_BELOW_THE_BASE)
            return
        try:
            passage = await gate.before(asked, body.read)
        except Refused as refused:
            await _send(send, refused.answer, has_body=asked.method != "HEAD")
            return
        inner = self._scope(scope, passage)
        if passage.body is not None:
            body.replace(passage.body)
        if passage.token is None:
            await self.app(inner, body.receive, send)
            return
        answer = _Answer()
        await self.app(inner, body.receive, answer.keep)
        await _send(send, await gate.after(asked, passage, answer.whole()), has_body=asked.method != "HEAD")

    def _gate(self) -> Gate:
        """One for each loop, as its connections belong to one."""
        loop = asyncio.get_running_loop()
        gate = self._gates.get(loop)
        if gate is None:  # the loop of another thread may put its own here at the same time
            gate = self._gates[loop] = Gate(self.enforcement)
        return gate

    def _request(self, scope: Scope) -> FhirRequest | None:
        path = path_below(self.enforcement.root, scope["path"])
        if path is None:
            return None
        named = [(_hyphenated(name), value.decode("latin-1")) for name, value in scope["headers"]]
        criteria = [value for name, value in named if name == b"if-none-exist"]
        kinds = [value for name, value in named if name == b"content-type"]
        return FhirRequest(
            scope["method"],
            path,
            scope["query_string"].decode("latin-1"),
            authorization=tuple(value for name, value in named if name == b"authorization"),
            if_none_exist="&".join(criteria) if criteria else None,
            address=scope["client"][0] if scope.get("client") else "",
            content_type="\n".join(kinds),  # which no quotation mark of one joins to another
        )

    def _scope(self, scope: Scope, passage: Passage) -> Scope:
        """As the application is to see it."""
        is_checked, request = passage.token is not None, passage.request
        length = [] if passage.body is None else [(b"content-length", str(len(passage.body)).encode())]
        headers = [
            (name, value)
            for name, value in scope["headers"]
            if is_kept(name.decode("latin-1").lower(), is_checked, is_read=passage.body is not None)
        ] + length
        inner = {**scope, "headers": headers, "smartauth": passage.decision}
        if not is_checked:
            return inner
        path = f"{self.enforcement.root}/{request.path}"
        headers[:] = [(name, value) for name, value in headers if _hyphenated(name) != b"content-type"]
        headers.append((b"accept", b"application/fhir+json"))
        if request.content_type:
            headers.append((b"content-type", request.content_type.encode("latin-1")))
        raw = {"raw_path": f"{self.enforcement.root}/{request.url.partition('?')[0]}".encode()}
        return {**inner, "method": request.method, "path": path, "query_string": request.query.encode("latin-1"), **raw}


class _Body:
    """The body of a request, which may be read here first, and is then there again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._known: bytes | None = None

    async def read(self, limit: int) -> bytes:
        """All of it. Raises Refused for a longer one."""
        body, more = b"", True
        while more:
            message = await self._receive()
            body += message.get("body", b"")
            more = message["type"] == "http.request" and message.get("more_body", False)
            if len(body) > limit:
                raise Refused(TOO_LONG)
        self._known = body
        return body

    def replace(self, body: bytes) -> None:
        self._known = body

    async def receive(self) -> Message:
        """The next message for the application."""
        if self._known is None:
            return await self._receive()
        body, self._known = self._known, None
        return {"type": "http.request", "body": body, "more_body": False}


class _Answer:
    """What the application answers, kept until it has been checked."""

    def __init__(self) -> None:
        self._status, self._body = 500, bytearray()
        self._headers: list[tuple[bytes, bytes]] = []

    async def keep(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")

    def whole(self) -> HttpAnswer:
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in self._headers)
        return HttpAnswer(self._status, headers, bytes(self._body))


def _hyphenated(name: bytes) -> bytes:
    return name.lower().replace(b"_", b"-")


async def _send(send: Send, answer: HttpAnswer, *, has_body: bool = True) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if has_body else b""})
