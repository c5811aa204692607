"""A FHIR server of somebody else, which is searched for patients."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ELSEWHERE = "/elsewhere"  # answers, whatever the server's status is


class Producer(ThreadingHTTPServer):
    """A FHIR server of somebody else: what it was asked, and what it says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, list[str]]] = []
        self.tokens: list[str] = []
        self.status, self.headers = 200, {"Content-Type": "application/fhir+json"}
        self.body = b'{"resourceType": "Bundle"}'
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_: object) -> None:
        """Who does not believe it hangs up."""

    def has(self, *patients: dict[str, Any]) -> None:
        entries = [{"resource": {"resourceType": "Patient", **patient}} for patient in patients]
        self.body = json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries}).encode()


class Handler(BaseHTTPRequestHandler):
    server: Producer

    def do_GET(self) -> None:
        self.server.asked.append({"path": [urlsplit(self.path).path], **parse_qs(urlsplit(self.path).query)})
        self.server.tokens.append(self.headers.get("Authorization", "").removeprefix("Bearer "))
        self.send_response(200 if self.path == ELSEWHERE else self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Keeps the test's output quiet."""
