"""How a connection is refused: with a status, if none of its requests still has an answer to get, and then closed."""

import asyncio
import time
from http import HTTPStatus
from typing import Any

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

INVALID = "Invalid HTTP request received."  # what uvicorn says
WARNING_SECONDS = 60.0


class RefusingProtocol(HttpToolsProtocol):
    """One connection. It can be refused at any moment, and from then on it hears nothing."""

    LINGER_SECONDS = 1.0  # what arrives after a refusal is dropped so long: then the refusal is read, not reset

    connection_limit = settings.SMARTAUTH_CONNECTIONS
    last_warning = -WARNING_SECONDS

    _reads_body = _refused = False
    _timer: asyncio.TimerHandle | None = None

    def _refuse_beyond_limit(self) -> bool:
        """Refuses this one if too many are open, and says whether."""
        if len(self.connections) <= self.connection_limit:
            return False
        self.warn_of_the_limit()
        self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, linger=False)
        return True

    def _refuse(self, status: HTTPStatus, *, linger: bool = True) -> None:
        """Answers with this status and closes. Answers that are owed come first; none takes another's place."""
        if self.transport.is_closing():
            return
        self._refused = True
        if self._timer is not None:
            self._timer.cancel()
        cycle: Any = self.cycle  # None before the first request
        owed: RequestResponseCycle | None = None if cycle is None or cycle.response_complete else cycle
        if owed and not self._reads_body:
            owed.keep_alive = False  # uvicorn closes after that answer
        elif self._reads_body and (owed is None or owed.response_started or self.pipeline):
            self.transport.close()  # this request has its answer or a part of it, or waits behind another
        else:
            if owed:
                owed.disconnected = True
                owed.message_event.set()
            self._say(status)
            self._close(linger)

    def _say(self, status: HTTPStatus) -> None:
        text = (INVALID if status is HTTPStatus.BAD_REQUEST else f"{status.phrase}.").encode()
        self.logger.debug("%d %s", status, text.decode())
        headers: list[tuple[bytes, bytes]] = [
            *self.server_state.default_headers,
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(text)),
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%s: %s\r\n" % line for line in headers)
        self.transport.write(STATUS_LINE[status] + lines + b"\r\n" + text)

    def _close(self, linger: bool) -> None:
        if linger and self.transport.can_write_eof():
            self.transport.write_eof()
            self._timer = self.loop.call_later(self.LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()

    def warn_of_the_limit(self) -> None:
        """Once a minute for each process: a log line for every refused connection would be a gift to who sends them."""
        kind: Any = type(self)
        if time.monotonic() - kind.last_warning >= WARNING_SECONDS:
            kind.last_warning = time.monotonic()
            self.logger.warning(
                "%d connections are open (SMARTAUTH_CONNECTIONS): new ones are refused", self.connection_limit
            )
