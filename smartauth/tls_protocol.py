"""One connection that begins with a TLS handshake; from then on it is one of HTTP."""

import asyncio
import os
import socket
from contextlib import suppress
from typing import Any

from smartauth.http_protocol import BoundedProtocol
from smartauth.own_tls import KEY_BITS, TlsConfig


class TlsProtocol(asyncio.Protocol):
    """Counts among the open connections from its first moment, and ends if its handshake does not (SD-20)."""

    HANDSHAKE_SECONDS = 10.0

    is_last = False  # the server stops: this connection is new, so its request is still answered

    def __init__(self, config: TlsConfig, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        self._loop = _loop or asyncio.get_event_loop()
        self._config, self._connections = config, server_state.connections
        self._next = _SecuredProtocol(config, server_state, app_state, _loop)
        self._next.handshake = self

    def connection_made(self, transport: Any) -> None:
        """The event loop makes another transport of the same socket: this one would read what is TLS's."""
        if len(self._connections) < BoundedProtocol.connection_limit:
            with suppress(OSError):  # no file is left for it: then it ends, and counts no longer
                connection = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
                self._connections.add(self)
                self._task = self._loop.create_task(self._shake_hands(connection))
        else:
            self._next.warn_of_the_limit()
        transport.abort()

    def shutdown(self) -> None:
        """What uvicorn asks of every connection when it stops."""
        self.is_last = True

    async def _shake_hands(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError):  # ssl.SSLError and what tells of time-outs are some
                await self._loop.connect_accepted_socket(
                    lambda: self._next, connection, ssl=self._config.certificate.context(),
                    ssl_handshake_timeout=self.HANDSHAKE_SECONDS,
                )  # fmt: skip
        finally:
            self._connections.discard(self)


class _SecuredProtocol(BoundedProtocol):
    handshake: TlsProtocol

    def connection_made(self, transport: Any) -> None:
        """Takes the place of the handshake among the connections, and ends if what was agreed is too weak (SD-02)."""
        self.connections.discard(self.handshake)
        super().connection_made(transport)
        _name, _protocol, bits = transport.get_extra_info("cipher")
        if bits < KEY_BITS:
            transport.abort()
        elif self.handshake.is_last:
            self.shutdown()
