"""A server that always gives the same answer: shows how much load the load generator can make.

`python -m bench.constant PORT`. Its answer is as long as one of smartauth's.
"""

import asyncio
import json
import sys
from typing import cast

import uvloop

CLIENT_ID = "app-0"
BODY = json.dumps({"active": True, "client_id": CLIENT_ID, "filled": "-" * 300}).encode()
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)


class Constant(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(ANSWER)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Constant, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
