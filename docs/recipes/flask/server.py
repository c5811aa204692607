"""A FHIR server in Flask that asks smartauth about every token. Run it: python server.py"""

import json
import os
import re
import time
from typing import Any, NoReturn
from urllib.parse import quote, urljoin, urlsplit

import httpx
from flask import Flask, abort, g, jsonify, request

BASE, INTROSPECT = os.environ["FHIR_BASE"], os.environ["INTROSPECT"]
ME = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
CONFIGURATION = urljoin(INTROSPECT, f"smart-configuration?aud={quote(BASE, safe='')}")
app = Flask(__name__)

# The part to copy -----------------------------------------------------------------------------------------------------

INVALID = 'Bearer error="invalid_token"'
http = httpx.Client(timeout=3)
document: dict[str, Any] = {}


def json_answer(method: str, url: str, **options: Any) -> Any:
    """JSON of at most 1 MB, within three seconds; httpx counts each read anew. Raises httpx.HTTPError, ValueError."""
    end, body = time.monotonic() + 3, b""
    with http.stream(method, url, **options) as answer:
        for piece in answer.raise_for_status().iter_bytes():
            body += piece
            if len(body) > 1_000_000 or time.monotonic() > end:
                raise httpx.ReadTimeout("the answer is too long")
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("the answer is nested too deep") from None


def refuse(status: int, code: str, challenge: str = "") -> NoReturn:
    """Ends the request with an OperationOutcome and the header that says what is wrong."""
    answer = jsonify(resourceType="OperationOutcome", issue=[{"severity": "error", "code": code}])
    answer.status_code = status
    if challenge:
        answer.headers["WWW-Authenticate"] = challenge
    if status == 503:
        answer.headers["Retry-After"] = "5"
    abort(answer)


@app.before_request
def who_asks() -> None:
    """Nothing is served before smartauth has said that the token lives and was made for this server."""
    if request.endpoint == "serve_smart_configuration":  # apps read it before they have a token
        return
    shown = request.headers.get("Authorization", "")
    bearer = re.fullmatch(r"(?i)bearer +([A-Za-z0-9._~+/-]{1,16000}=*)", shown)
    if bearer is None:
        refuse(401, "login", INVALID if shown.lower().startswith("bearer ") else "Bearer")
    try:
        g.claims = json_answer("POST", INTROSPECT, data={"token": bearer[1]}, auth=ME)
    except (httpx.HTTPError, ValueError):
        refuse(503, "transient")
    if not isinstance(g.claims, dict) or not is_for_us(g.claims):
        refuse(401, "login", INVALID)


def is_for_us(claims: dict[str, Any]) -> bool:
    """Live, made for this base, and not bound to a key (`cnf`): nobody here checks that its holder has the key."""
    aud = claims.get("aud")
    return claims.get("active") is True and "cnf" not in claims and BASE in (aud if isinstance(aud, list) else [aud])


def patient_of(resource: str, letter: str) -> str:
    """The one patient that this request may see; 403 if no scope allows it."""
    scope, patient = g.claims.get("scope"), g.claims.get("patient")
    if isinstance(scope, str) and isinstance(patient, str) and re.fullmatch(r"[A-Za-z0-9.-]{1,64}", patient):
        for name in scope.split():
            held = re.fullmatch(r"patient/(\*|[A-Za-z]+)\.(c?r?u?d?s?|read|write|\*)", name)
            letters = held and {"read": "rs", "write": "cud", "*": "cruds"}.get(held[2], held[2])
            if held and letters and held[1] in ("*", resource) and letter in letters:
                return patient
    refuse(403, "forbidden", 'Bearer error="insufficient_scope"')


def smart_configuration() -> Any:
    """smartauth's document about this base, read again after five minutes. Raises httpx.HTTPError, ValueError."""
    if document.get("stale_at", 0.0) < time.monotonic():
        content = json_answer("GET", CONFIGURATION)
        document.update(content=content, stale_at=time.monotonic() + 300)
    return document["content"]


@app.get(f"{urlsplit(BASE).path}/.well-known/smart-configuration")
def serve_smart_configuration() -> Any:
    try:
        return smart_configuration(), {"Access-Control-Allow-Origin": "*"}
    except (httpx.HTTPError, ValueError):
        refuse(503, "transient")


# Your server ----------------------------------------------------------------------------------------------------------

PATIENTS = {key: {"resourceType": "Patient", "id": key} for key in ("amy", "ben")}
root = urlsplit(BASE).path


@app.get(f"{root}/Patient/<key>")
def read(key: str) -> Any:
    visible = {patient_of("Patient", "r")} & set(PATIENTS)
    return PATIENTS[key] if key in visible else refuse(404, "not-found")


@app.get(f"{root}/Patient")
def search() -> Any:
    visible = {patient_of("Patient", "s")} & set(PATIENTS)
    asked = request.args.getlist("_id") or list(PATIENTS)
    found = [{"resource": PATIENTS[key]} for key in asked if key in visible]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": found}


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ.get("PORT") or urlsplit(BASE).port or 80))
