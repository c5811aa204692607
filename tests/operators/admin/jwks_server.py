"""A client's own server, which publishes its keys, well or badly."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EC = {
    "kty": "EC", "crv": "P-384", "kid": "one",
    "x": "OLmCygNjjEl8PpYRs9Swm9RqTr6ScPkp0nJrDzy4wHNQpTXWarbyjbJnd8Xax5Tf",
    "y": "b1n2ptPUUEbt3rYlEmdbEZVrdT1NRcRoVvGaqU61ottpNI8U-lxBkJTq3WFDmP15",
}  # fmt: skip
ANSWERS = {
    "/good": (200, json.dumps({"keys": [EC]})),
    "/private": (200, json.dumps({"keys": [{**EC, "d": "secret"}]})),
    "/html": (200, "<html>"),
    "/moved": (302, ""),
    "/long": (200, " " * 270_000),
}


class JwksServer:
    """On a free port of this machine; `asked` are the paths that somebody wanted."""

    def __init__(self) -> None:
        asked = self.asked = []  # type: list[str]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                status, body = ANSWERS.get(self.path, (404, ""))
                self.send_response(status)
                self.send_header("Location", "/good")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                """Keeps the test's output quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
