"""The small server behind a real listener."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from smartauth_probe.requests import Presentation
from tests.smartauth_probe.small_server import SmallServer


@contextmanager
def listening(server: SmallServer) -> Iterator[str]:
    """The base below which it is asked."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            path, _, query = self.path.removeprefix("/fhir").lstrip("/").partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("latin-1")
            headers = tuple(self.headers.items())
            response = server.answer(Presentation(path, self.command, query, headers, body))
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else response.content)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, *_: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}/fhir"
    finally:
        listener.shutdown()
        listener.server_close()
