"""The records of the recipes, served to everybody: what stands behind a gateway or a recipe in another language."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import records

ROOT = urlsplit(os.environ["FHIR_BASE"]).path


class Open(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        status, found = records.answer("GET", url.path.removeprefix(ROOT), url.query)
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Open).serve_forever()
