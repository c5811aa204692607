"""An authorization server that cannot be believed: it answers recipes with whatever a test tells it to say."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest


class Answer(NamedTuple):
    """What the oracle says, and how many seconds it rests after each byte of the body."""

    status: int = 200
    kind: str = "application/json"
    body: str = '{"active":false}'
    rest: float = 0


class Oracle:
    """Whatever is asked, it says `says`; as many as `drops` times it hangs up before."""

    def __init__(self) -> None:
        self.says = Answer()
        self.drops = 0
        oracle = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def do_GET(self) -> None:
                if oracle.drops:
                    oracle.drops -= 1
                    return
                said = oracle.says
                body = said.body.encode()
                self.send_response(said.status)
                self.send_header("Content-Type", said.kind)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")  # HTTP/1.0 says so by itself, but Java's client keeps it
                self.end_headers()
                with suppress(ConnectionError):  # who waited too long has gone
                    for part in [bytes([byte]) for byte in body] if said.rest else [body]:
                        self.wfile.write(part)
                        time.sleep(said.rest)

            def log_message(self, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/o/introspect"

    def say_claims(self, claims: dict[str, Any]) -> None:
        self.says = Answer(body=json.dumps(claims))


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    made = Oracle()
    yield made
    made.http.shutdown()
