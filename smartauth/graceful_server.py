"""uvicorn's server, which at its end also answers connections that the system let in and nobody accepted yet."""

import asyncio
import ctypes
import errno
import os
import socket
import struct
import sys
from contextlib import suppress
from typing import Any, cast

import uvicorn

OUT_OF_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
AGAIN_SECONDS = 0.05  # until one of the connections that end may have left its file to the next
ATTACH_FILTER = 26  # SO_ATTACH_FILTER of Linux
NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)  # a filter of one instruction: of each packet so many bytes are let in


def let_nobody_in(listening: socket.socket) -> None:
    """From now on the backlog only gets shorter: who comes asks again in a second, and is refused once it is closed.

    Else a connection may come after the last look at the backlog, and be reset. Elsewhere than on Linux that moment
    stays. It holds for all processes that have this socket.
    """
    if sys.platform == "linux":
        text = ctypes.create_string_buffer(NOTHING)
        with suppress(OSError):  # where a container forbids it
            listening.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(text)))


class GracefulServer(uvicorn.Server):
    """At SIGTERM what waits in the backlog is accepted and answered: closing it would reset these connections.

    Several processes share one backlog: each takes what it finds, and their parent says when nobody comes any more.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Keeps a copy of each listening socket: at the end the event loop's own is closed, or no file is left."""
        await super().startup(sockets)
        self._copies = [socket.socket(fileno=os.dup(own.fileno())) for server in self.servers for own in server.sockets]
        for copy in self._copies:
            copy.setblocking(False)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        end = loop.time() + (self.config.timeout_graceful_shutdown or 0)
        for copy in self._copies:
            with copy:
                if self.config.workers == 1:  # at SIGHUP the others go on
                    let_nobody_in(copy)
                while not await self._accept_waiting(copy) and loop.time() < end:
                    for open_connection in list(self.server_state.connections):
                        open_connection.shutdown()
                    await asyncio.sleep(AGAIN_SECONDS)
        await super().shutdown(sockets)

    async def _accept_waiting(self, listening: socket.socket) -> bool:
        """Whether nobody waits any more. Else no file is left for the next."""
        loop = asyncio.get_running_loop()
        waiting, is_empty = _waiting_connections(listening)
        if is_empty:
            listening.close()  # in the same moment: who comes later is refused, not reset
        for connection in waiting:
            await loop.connect_accepted_socket(self._protocol, connection)
        return is_empty

    def _protocol(self) -> asyncio.Protocol:
        """As uvicorn makes one for a connection that it accepts."""
        make = cast(Any, self.config.http_protocol_class)
        return cast(
            asyncio.Protocol, make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        )


def _waiting_connections(listening: socket.socket) -> tuple[list[socket.socket], bool]:
    """Those for which there are files, and whether they are all."""
    found: list[socket.socket] = []
    while True:
        try:
            connection, _ = listening.accept()
        except ConnectionError:  # this one has gone already
            continue
        except OSError as error:
            return found, error.errno not in OUT_OF_FILES
        connection.setblocking(False)
        found.append(connection)
