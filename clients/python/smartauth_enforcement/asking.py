"""Questions to smartauth over connections that stay open: bounded in time and length, believed only if flawless."""

import asyncio
import time
from typing import Any
from urllib.parse import quote

import httpx

from smartauth_enforcement.fhir_request import Refused
from smartauth_enforcement.http_answer import UNAVAILABLE
from smartauth_enforcement.options import Enforcement
from smartauth_enforcement.outages import Outages
from smartauth_enforcement.strict_json import parse_json, to_json

_KEPT_SECONDS = 300
_JSON = {"Content-Type": "application/json"}


class Unavailable(Exception):
    """smartauth gave no answer, or one that cannot be right: nothing is let through."""


class Rejected(Exception):
    """smartauth says that the question is none: the app's request was."""


class Asking:
    """The one who asks, on one event loop."""

    def __init__(self, enforcement: Enforcement) -> None:
        self._options = enforcement
        self._http = httpx.AsyncClient(
            auth=(enforcement.client_id, enforcement.client_secret),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=enforcement.seconds,
        )
        self._document, self._document_ends = b"", 0.0
        self._outages = Outages(enforcement.smartauth)

    async def ask(self, path: str, question: Any) -> Any:
        """The JSON of the answer. Raises Unavailable, Rejected."""
        body = await self._exchange("POST", f"/access/v1/{path}", content=to_json(question), headers=_JSON)
        try:
            return parse_json(body)
        except ValueError:
            raise Unavailable("the answer is no JSON") from None

    def refuse(self, reason: Exception) -> Refused:
        """503 for the app, and the reason for the log."""
        self._outages.tell(str(reason))
        return Refused(UNAVAILABLE)

    async def document(self) -> bytes:
        """The SMART configuration of the base, asked for again after five minutes. Raises Unavailable."""
        if self._document_ends < time.monotonic():
            path = f"/o/smart-configuration?aud={quote(self._options.base, safe='')}"
            try:
                found = await self._exchange("GET", path)
                is_document = isinstance(parse_json(found), dict)
            except (Rejected, ValueError):
                is_document = False
            if not is_document:
                raise Unavailable("there is no such document")
            self._document, self._document_ends = found, time.monotonic() + _KEPT_SECONDS
        return self._document

    async def _exchange(self, method: str, path: str, **options: Any) -> bytes:
        """The body of a right answer, within the time given for all of it. A broken connection is tried twice."""
        try:
            async with asyncio.timeout(self._options.seconds):
                try:
                    return await self._once(method, path, **options)
                except (httpx.NetworkError, httpx.RemoteProtocolError):
                    return await self._once(method, path, **options)
        except (TimeoutError, httpx.TimeoutException):
            raise Unavailable(f"no whole answer within {self._options.seconds} s") from None
        except httpx.HTTPError as error:
            raise Unavailable(str(error) or type(error).__name__) from None

    async def _once(self, method: str, path: str, **options: Any) -> bytes:
        body = b""
        async with self._http.stream(method, f"{self._options.smartauth}{path}", **options) as answer:
            kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > self._options.max_answer_bytes:
                    raise Unavailable("the answer is too long")
        if answer.status_code in (400, 413):
            raise Rejected(body.decode("utf-8", "replace"))
        if answer.status_code == 401:
            raise Unavailable(f"401, it does not know the client {self._options.client_id} by this secret")
        if answer.status_code != 200 or kind != "application/json" or "Content-Encoding" in answer.headers:
            raise Unavailable(f"{answer.status_code} as {kind}")
        return body
