"""The gate before a WSGI application: Flask, Django, Django REST framework."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from io import BytesIO
from typing import Any, TypeVar
from urllib.parse import quote

from smartauth_enforcement.fhir_request import FhirRequest, Refused, path_below
from smartauth_enforcement.gate import Gate, Passage
from smartauth_enforcement.http_answer import NOT_BELOW_THE_BASE, TOO_LONG, HttpAnswer
from smartauth_enforcement.options import Enforcement
from smartauth_enforcement.request_headers import is_kept

_MOST_BODIES = 1000  # read at once; threads come one by one, as they are needed

Result = TypeVar("Result")
Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class WsgiMiddleware:
    """Lets nothing through to `app` that smartauth has not decided. `environ["smartauth"]` is the decision."""

    def __init__(self, app: Application, enforcement: Enforcement) -> None:
        self.app, self.enforcement = app, enforcement
        self._loop = _Loop()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """A WSGI application."""
        asked = self._request(environ)
        if asked is None:
            return _send(start_response, NOT_BELOW_THE_BASE)
        has_body = asked.method != "HEAD"
        gate = self._loop.gate(self.enforcement)

        async def read_body(limit: int) -> bytes:
            return await asyncio.to_thread(read_request_body, environ, limit)

        try:
            passage = self._loop.run(gate.before(asked, read_body))
        except Refused as refused:
            return _send(start_response, refused.answer, has_body=has_body)
        inner = self._environ(environ, passage)
        if passage.token is None:
            return self.app(inner, start_response)
        answer = _run(self.app, inner)
        return _send(start_response, self._loop.run(gate.after(asked, passage, answer)), has_body=has_body)

    def _request(self, environ: Environ) -> FhirRequest | None:
        path = path_below(self.enforcement.root, _text(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")))
        if path is None:
            return None
        shown = environ.get("HTTP_AUTHORIZATION")
        return FhirRequest(
            environ["REQUEST_METHOD"],
            path,
            environ.get("QUERY_STRING", ""),
            authorization=() if shown is None else (shown,),
            if_none_exist=environ.get("HTTP_IF_NONE_EXIST"),
            address=environ.get("REMOTE_ADDR", ""),
            content_type=environ.get("CONTENT_TYPE", ""),
        )

    def _environ(self, environ: Environ, passage: Passage) -> Environ:
        """As the application is to see it."""
        is_checked, request = passage.token is not None, passage.request
        is_read = passage.body is not None
        inner = {name: value for name, value in environ.items() if is_kept(_header(name), is_checked, is_read=is_read)}
        inner["smartauth"] = passage.decision
        if passage.body is not None:
            inner |= {"wsgi.input": BytesIO(passage.body), "CONTENT_LENGTH": str(len(passage.body))}
        if is_checked:
            whole = f"{self.enforcement.root}/{request.path}"
            path = whole.removeprefix(_text(environ.get("SCRIPT_NAME", ""))).encode().decode("latin-1")
            uri = quote(whole) + (f"?{request.query}" if request.query else "")
            inner |= {"REQUEST_METHOD": request.method, "PATH_INFO": path, "QUERY_STRING": request.query}
            inner |= {"HTTP_ACCEPT": "application/fhir+json", "CONTENT_TYPE": request.content_type}
            inner |= {name: uri for name in ("REQUEST_URI", "RAW_URI") if name in environ}
        return inner


class _Loop:
    """An event loop in a thread of its own, in each process that a server forks: it ends a question in time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = 0
        self._gate: Gate | None = None

    def gate(self, enforcement: Enforcement) -> Gate:
        with self._lock:
            if self._gate is None or self._process != os.getpid():
                self._loop, self._process = asyncio.new_event_loop(), os.getpid()
                # a body is read for each request that waits: slow ones must not hold up the others
                self._loop.set_default_executor(ThreadPoolExecutor(_MOST_BODIES, thread_name_prefix="smartauth"))
                threading.Thread(target=self._loop.run_forever, name="smartauth", daemon=True).start()
                self._gate = Gate(enforcement)
            return self._gate

    def run(self, what: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()


def read_request_body(environ: Environ, limit: int) -> bytes:
    """The body. Raises Refused for a longer one."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdecimal() and not environ.get("wsgi.input_terminated"):
        return b""
    body: bytes = environ["wsgi.input"].read(min(int(length), limit + 1) if length.isdecimal() else limit + 1)
    if len(body) > limit:
        raise Refused(TOO_LONG)
    return body


def _run(app: Application, environ: Environ) -> HttpAnswer:
    """The whole answer of the application."""
    started: list[Any] = []
    body: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
        started[:] = [int(status.split(" ")[0]), tuple((name.lower(), value) for name, value in headers)]
        return body.append

    chunks = app(environ, start_response)
    try:
        body.extend(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return HttpAnswer(started[0], started[1], b"".join(body))


def _send(start_response: StartResponse, answer: HttpAnswer, *, has_body: bool = True) -> Iterable[bytes]:
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Answer"
    start_response(f"{answer.status} {phrase}", list(answer.headers))
    return [answer.body] if has_body else []


def _header(name: str) -> str:
    return name.removeprefix("HTTP_").replace("_", "-").lower() if name.startswith("HTTP_") else ""


def _text(path: str) -> str:
    """WSGI has the bytes of a path as Latin-1 (PEP 3333); they are UTF-8."""
    return path.encode("latin-1").decode("utf-8", "replace")
