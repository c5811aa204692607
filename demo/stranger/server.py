"""A stranger's FHIR server in thirty lines: Patients in memory, read and search, open to everybody."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BASE = os.environ.get("FHIR_BASE", "http://127.0.0.1:9000/fhir")
NAMES = {"amy": "Amy Shaw", "ben": "Ben Whitlock"}
PATIENTS = {key: {"resourceType": "Patient", "id": key, "name": [{"text": name}]} for key, name in NAMES.items()}
NOT_FOUND = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}


class Fhir(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        match url.path.removeprefix(urlsplit(BASE).path).split("/"):
            case ["", "Patient", key] if key in PATIENTS:
                self.answer(200, PATIENTS[key])
            case ["", "Patient"]:
                asked = parse_qs(url.query).get("_id", list(PATIENTS))
                found = [{"resource": PATIENTS[key]} for key in asked if key in PATIENTS]
                self.answer(200, {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": found})
            case _:
                self.answer(404, NOT_FOUND)

    def answer(self, status: int, body: Any, **headers: str) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/fhir+json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", urlsplit(BASE).port or 80), Fhir).serve_forever()
