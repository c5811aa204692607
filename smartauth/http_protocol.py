"""HTTP/1.1 as uvicorn speaks it, with bounds on what is kept, and deaf to `Upgrade` (RFC 9110 §7.8 allows that).

httptools ends a message at `Upgrade`: its body is lost or read as the next request. Kludex/uvicorn#2722 tells of it,
Kludex/uvicorn#3148 mends it there. Then `_restart_without_upgrade` and its two branches can go, the bounds stay.
This and smartauth/http_refusals.py are written against private parts of uvicorn 0.54 and httptools 0.9: both are
pinned, and tests/smartauth/test_http_protocol.py tells whether other versions do.
"""

from functools import partial
from http import HTTPStatus
from typing import Any, NoReturn

import httptools
from django.conf import settings

from oauth.http.connection import CONNECTION, WHOLE_ANSWER, Connection, connection_of
from smartauth.http_refusals import RefusingProtocol
from smartauth.whole_answer import write_whole


class BoundedProtocol(RefusingProtocol):
    """One connection. Every wait ends, and nothing that a stranger sends grows without end (SD-20)."""

    # target and header lines together, trailers again; the application's own limits (431, 414) are lower
    HEAD_BYTES = 96 * 1024
    HEAD_LINES = 100
    HEAD_SECONDS = 10.0  # from the connection, or from the first byte of a later request, until the head is whole
    BODY_SECONDS = 60.0  # added to those until the body is whole; longer than the slowest answer it may wait behind
    FIRST_SECONDS = 3.0  # in which the request of a connection that is new when the server stops must have come
    WRITE_SECONDS = 60.0  # in which a client must read something of an answer that waits for it
    PIPELINED = 100  # requests that wait behind the one that is answered

    _head_bytes = _head_lines = 0  # of this head, or of these trailers, as far as the parser told
    _untold_bytes = 0  # since the parser told something: it tells a line only once the line is whole
    _deadline = 0.0  # when what is being read must be whole; 0 between requests
    _unread_since = 0.0  # when the client stopped reading what waits for it; 0 while it reads
    _is_last = False  # the server stops after the request that comes
    _parser_status = HTTPStatus.BAD_REQUEST  # of the refusal if the parser stops

    # The clock: one timer for each connection looks again and again, so that no request starts or stops one.

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._extensions = {WHOLE_ANSWER: partial(write_whole, self)}
        self._is_development = settings.SMARTAUTH_DEV  # to read a setting costs as much as half a header
        if self._refuse_beyond_limit():
            return
        self._deadline = self.loop.time() + self.HEAD_SECONDS
        self._timer = self.loop.call_later(self.HEAD_SECONDS, self._check_deadline)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        self._unread_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._unread_since = 0.0
        super().resume_writing()

    def _check_deadline(self) -> None:
        now = self.loop.time()
        if self._unread_since and now - self._unread_since >= self.WRITE_SECONDS:
            self.transport.abort()  # a thread waits until it is read
        elif not self._deadline or self._deadline > now:
            wait = min(self._deadline - now, self.HEAD_SECONDS) if self._deadline else self.HEAD_SECONDS
            self._timer = self.loop.call_later(wait, self._check_deadline)
        elif self._untold_bytes or self._head_bytes or self._reads_body:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()  # not one byte came

    # The parser is fed until it sees an upgrade; then a new one gets the same head without it, and what follows.

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._unset_keepalive_if_required()
        if not self._deadline:
            self._deadline = self.loop.time() + self.HEAD_SECONDS
        self._untold_bytes += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse(self._parser_status)
        else:
            if self._untold_bytes > self.HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _feed(self, data: bytes | memoryview) -> None:
        while True:
            try:
                return self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = memoryview(data)[upgrade.args[0] :]
                self._restart_without_upgrade()

    def _restart_without_upgrade(self) -> None:
        """A parser that has read the same head as an ordinary request; it judges the framing of the body anew.

        Nothing can be smuggled in by writing the head again: the parser lets no CR, LF or NUL into what it tells.
        """
        first = b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        lines = b"".join(b"%s: %s\r\n" % line for line in self.headers if line[0] != b"upgrade")
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self.parser.feed_data(first + lines + b"\r\n")

    # What the parser tells.

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: Any = self.scope
        scope["extensions"] = self._extensions
        if self._is_development:
            scope["extensions"] = {**self._extensions, CONNECTION: Connection(self.transport.abort)}

    def on_url(self, url: bytes) -> None:
        self._head_bytes += len(url)
        if self._head_bytes > self.HEAD_BYTES:
            self._refuse_head()
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_lines += 1
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > self.HEAD_BYTES or self._head_lines > self.HEAD_LINES:
            self._refuse_head()
        if not self._reads_body:
            super().on_header(name, value)
        elif name.lower() == b"connection" and b"close" in value.lower():
            # A trailer is no header (RFC 9110 §6.5.1), but after this one the parser reads nothing more.
            self.cycle.keep_alive = False

    def _refuse_head(self) -> NoReturn:
        self._parser_status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        raise httptools.HttpParserError("the head is too long")

    def on_headers_complete(self) -> None:
        self._begin_count()
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise httptools.HttpParserError("CONNECT is not for this server")
            return  # no request yet: it begins again without the upgrade
        if len(self.pipeline) >= self.PIPELINED:
            raise httptools.HttpParserError("too many requests at once")
        super().on_headers_complete()
        if self._is_last:
            self.cycle.keep_alive = False
        self._reads_body = True
        self._deadline = (self._deadline or self.loop.time()) + self.BODY_SECONDS

    def on_body(self, body: bytes) -> None:
        self._untold_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._reads_body:
            return  # an upgrade, which begins again
        self._reads_body = False
        self._deadline = 0.0
        self._begin_count()
        super().on_message_complete()

    def _begin_count(self) -> None:
        self._untold_bytes = self._head_bytes = self._head_lines = 0

    def shutdown(self) -> None:
        cycle: Any = self.cycle  # None before the first request
        if cycle is None and not self.transport.is_closing():
            self._is_last = True
            self.loop.call_later(self.FIRST_SECONDS, self._close_without_request)
            return
        super().shutdown()
        if cycle and not cycle.response_complete and connection_of(cycle.scope).may_be_cut:
            self.transport.close()

    def _close_without_request(self) -> None:
        if self.cycle is None:
            self.transport.close()
