"""The stranger's FHIR server, protected: it asks smartauth about every token and believes nothing else."""

import json
import os
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urljoin, urlsplit

import httpx

BASE = os.environ["FHIR_BASE"]
INTROSPECT = os.environ["INTROSPECT"]
ME = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
CONFIGURATION = urljoin(INTROSPECT, f"smart-configuration?aud={quote(BASE, safe='')}")
INVALID = 'Bearer error="invalid_token"'
NAMES = {"amy": "Amy Shaw", "ben": "Ben Whitlock"}
PATIENTS = {key: {"resourceType": "Patient", "id": key, "name": [{"text": name}]} for key, name in NAMES.items()}

document: dict[str, Any] = {}


class Refused(Exception):
    """A status, the code of FHIR's issue-type, and the header that says what is wrong."""


def json_answer(method: str, url: str, **options: Any) -> Any:
    """JSON of at most 1 MB, within three seconds; httpx counts each read anew. Raises httpx.HTTPError, ValueError."""
    end, body = time.monotonic() + 3, b""
    with httpx.stream(method, url, timeout=3, **options) as answer:
        for piece in answer.raise_for_status().iter_bytes():
            body += piece
            if len(body) > 1_000_000 or time.monotonic() > end:
                raise httpx.ReadTimeout("the answer is too long")
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("the answer is nested too deep") from None


def claims_of(authorization: list[str]) -> dict[str, Any]:
    """The claims of a live token that was made for us. Asked each time, never kept. Raises Refused."""
    shown = ", ".join(authorization)
    bearer = re.fullmatch(r"(?i)bearer +([A-Za-z0-9._~+/-]{1,16000}=*)", shown)
    if bearer is None:
        raise Refused(401, "login", INVALID if shown.lower().startswith("bearer ") else "Bearer")
    try:
        claims = json_answer("POST", INTROSPECT, data={"token": bearer[1]}, auth=ME)
    except (httpx.HTTPError, ValueError):
        raise Refused(503, "transient", "") from None
    if not isinstance(claims, dict) or not is_for_us(claims):
        raise Refused(401, "login", INVALID)
    return claims


def is_for_us(claims: dict[str, Any]) -> bool:
    """Live, made for this base, and not bound to a key (`cnf`): nobody here checks that its holder has the key."""
    aud = claims.get("aud")
    return claims.get("active") is True and "cnf" not in claims and BASE in (aud if isinstance(aud, list) else [aud])


def patient_of(authorization: list[str], resource: str, letter: str) -> str:
    """The one patient that this request may see. Raises Refused."""
    claims = claims_of(authorization)
    scope, patient = claims.get("scope"), claims.get("patient")
    if isinstance(scope, str) and isinstance(patient, str) and re.fullmatch(r"[A-Za-z0-9.-]{1,64}", patient):
        for name in scope.split():
            held = re.fullmatch(r"patient/(\*|[A-Za-z]+)\.(c?r?u?d?s?|read|write|\*)", name)
            letters = held and {"read": "rs", "write": "cud", "*": "cruds"}.get(held[2], held[2])
            if held and letters and held[1] in ("*", resource) and letter in letters:
                return patient
    raise Refused(403, "forbidden", 'Bearer error="insufficient_scope"')


def smart_configuration() -> Any:
    """smartauth's document about this base, read again after five minutes. Raises httpx.HTTPError, ValueError."""
    if document.get("stale_at", 0.0) < time.monotonic():
        content = json_answer("GET", CONFIGURATION)
        document.update(content=content, stale_at=time.monotonic() + 300)
    return document["content"]


class Fhir(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            self.route()
        except Refused as refusal:
            status, code, challenge = refusal.args
            headers = {"WWW_Authenticate": challenge} if challenge else {"Retry_After": "5"}
            self.answer(status, outcome(code), **headers)
        except (httpx.HTTPError, ValueError):
            self.answer(503, outcome("transient"), Retry_After="5")

    def route(self) -> None:
        url, headers = urlsplit(self.path), self.headers.get_all("Authorization", [])
        match url.path.removeprefix(urlsplit(BASE).path).split("/"):
            case ["", ".well-known", "smart-configuration"]:
                found = smart_configuration()
                self.answer(200, found, Content_Type="application/json", Access_Control_Allow_Origin="*")
            case ["", "Patient", key]:
                visible = {patient_of(headers, "Patient", "r")} & set(PATIENTS)
                self.answer(200, PATIENTS[key]) if key in visible else self.answer(404, outcome("not-found"))
            case ["", "Patient"]:
                visible = {patient_of(headers, "Patient", "s")} & set(PATIENTS)
                asked = parse_qs(url.query).get("_id", list(PATIENTS))
                found = [{"resource": PATIENTS[key]} for key in asked if key in visible]
                self.answer(200, {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": found})
            case _:
                claims_of(headers)
                self.answer(404, outcome("not-found"))

    def answer(self, status: int, body: Any, **headers: str) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content_Type": "application/fhir+json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def outcome(code: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


if __name__ == "__main__":
    port = int(os.environ.get("PORT") or urlsplit(BASE).port or 80)
    ThreadingHTTPServer(("127.0.0.1", port), Fhir).serve_forever()
