"""The records of the recipes, served to everybody: what stands behind a gateway or a recipe in another language."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import records

ROOT = urlsplit(os.environ["FHIR_BASE"]).path
# Conditions that nobody sees who does not ask for their code: the first so large and all so many that no one question
# holds them. Of every third a granular scope says no, which `records` does not know: it looks at a code alone.
for number in range(270):
    system = "http://other.example" if number % 3 == 0 else "http://large.example"
    records.VERSIONS["Large", f"large-{number}"] = [
        {
            "resourceType": "Condition",
            "id": f"large-{number}",
            "meta": {"versionId": "1"},
            "category": [{"coding": [{"system": system, "code": "large"}]}],
            "code": {"coding": [{"code": "large"}]},
            "subject": {"reference": "Patient/amy", "display": "é" * (12_000 if number < 50 else 1)},
        }
    ]


class Open(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        path = "Large" if parse_qs(url.query).get("code") == ["large"] else url.path.removeprefix(ROOT)
        status, found = records.answer("GET", path, url.query)
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Open).serve_forever()
