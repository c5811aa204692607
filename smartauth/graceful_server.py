"""uvicorn's server, which at its end also answers connections that the system let in and nobody accepted yet."""

import asyncio
import os
import socket
from collections.abc import Iterator
from typing import Any, cast

import uvicorn


class GracefulServer(uvicorn.Server):
    """At SIGTERM what waits in the backlog is accepted and answered: closing it would reset these connections.

    Several processes share one backlog: each takes what it finds.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        waiting = [each for server in self.servers for own in server.sockets for each in _waiting_connections(own)]
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        for connection in waiting:
            await loop.connect_accepted_socket(self._protocol, connection)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        """As uvicorn makes one for a connection that it accepts."""
        make = cast(Any, self.config.http_protocol_class)
        return cast(
            asyncio.Protocol, make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        )


def _waiting_connections(listening: Any) -> Iterator[socket.socket]:
    """Accepted from a copy of the socket, since that of the event loop is the loop's own."""
    with socket.socket(fileno=os.dup(listening.fileno())) as copy:
        copy.setblocking(False)
        while True:
            try:
                connection, _ = copy.accept()
            except OSError:  # nobody waits any more
                return
            connection.setblocking(False)
            yield connection
