"""A FHIR server as somebody new writes one in an afternoon; HOLES opens three holes again: letters, patient, existence.

It was written from the pages alone and mended by the words of the report.
"""

import json
import os
import re
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import Request, urlopen

BASE, HOLES = os.environ["FHIR_BASE"], os.environ.get("HOLES", "").split()
ME = b64encode(f"{os.environ['CLIENT_ID']}:{os.environ['CLIENT_SECRET']}".encode()).decode()
BEARER = re.compile(r"(?i)bearer ([A-Za-z0-9._~+/-]{1,9000}=*)")
SCOPE = re.compile(r"patient/(\*|[A-Z][A-Za-z]*)\.(c?r?u?d?s?|read|write|\*)")
LETTERS = {"read": "rs", "write": "cud", "*": "cruds"}
Json = dict[str, Any]
READS = [{"code": "read"}, {"code": "search-type"}]
TYPES = [{"type": each, "interaction": READS} for each in ("Patient", "Observation")]
STATEMENT = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "rest": [{"mode": "server", "resource": TYPES}],
}
RECORDS: list[Json] = [{"resourceType": "Patient", "id": each, "name": [{"family": each}]} for each in ("amy", "ben")]
RECORDS += [
    {"resourceType": "Observation", "id": f"{each}-1", "status": "final", "subject": {"reference": f"Patient/{each}"}}
    for each in ("amy", "ben")
]


class Refused(Exception):
    pass


def answer(path: str, query: str, shown: list[str]) -> Json:
    if path == "metadata":
        return STATEMENT
    claims = introspected(shown)
    kind, _, key = path.partition("/")
    is_known = any(each["resourceType"] == kind for each in RECORDS)
    if not is_known or not allows(claims, kind, "r" if key else "s"):
        raise Refused(403, "forbidden", 'Bearer error="insufficient_scope"')
    found = [each for each in RECORDS if each["resourceType"] == kind]
    own = [each for each in found if claims["patient"] in (each["id"], owner(each))]
    if key:
        if "existence" in HOLES and any(each["id"] == key for each in found if each not in own):
            raise Refused(403, "forbidden", "")
        for each in own:
            if each["id"] == key:
                return each
        raise Refused(404, "not-found", "")
    pairs = dict(parse_qsl(query))
    if "patient" in HOLES and "patient" in pairs:
        own = [each for each in found if owner(each) == pairs["patient"]]
    entry = [{"resource": each} for each in own]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entry), "entry": entry}


def owner(record: Json) -> str:
    return str(record.get("subject", {}).get("reference", "")).removeprefix("Patient/")


def introspected(shown: list[str]) -> Json:
    bearer = BEARER.fullmatch(shown[0]) if len(shown) == 1 else None
    if bearer is None:
        raise Refused(401, "login", "Bearer" if not shown else 'Bearer error="invalid_token"')
    form = urlencode({"token": bearer[1]}).encode()
    question = Request(os.environ["INTROSPECT"], form, {"Authorization": f"Basic {ME}"})
    claims: Json = json.load(urlopen(question, timeout=5))
    audience = claims.get("aud")
    is_ours = BASE in (audience if isinstance(audience, list) else [audience])
    if claims.get("active") is not True or not is_ours or "cnf" in claims:
        raise Refused(401, "login", 'Bearer error="invalid_token"')
    return claims


def allows(claims: Json, kind: str, letter: str) -> bool:
    scope, patient = claims.get("scope"), claims.get("patient")
    if not isinstance(scope, str) or not isinstance(patient, str):
        return False
    held = [SCOPE.fullmatch(each) for each in scope.split(" ")]
    named = [(each[1], LETTERS.get(each[2], each[2])) for each in held if each]
    return any(name in ("*", kind) and (letter in letters or "letters" in HOLES) for name, letters in named)


class Fhir(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path, _, query = self.path.removeprefix(urlsplit(BASE).path).strip("/").partition("?")
        try:
            self.say(200, answer(path, query, self.headers.get_all("Authorization") or []), "")
        except Refused as refusal:
            status, code, challenge = refusal.args
            issue = [{"severity": "error", "code": code}]
            self.say(status, {"resourceType": "OperationOutcome", "issue": issue}, challenge)

    def say(self, status: int, body: Json, challenge: str) -> None:
        self.send_response(status)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Type", "application/fhir+json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", urlsplit(BASE).port or 80), Fhir).serve_forever()
