"""Rows of the console about token, introspect and revoke."""

import json
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from typing import Any

from accounts import clock
from oauth.http.asgi import Scope
from oauth.http.endpoint import parsed_request
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.workbench.console.buffer import buffer
from oauth.workbench.console.harmless import harmless_text
from oauth.workbench.console.row import Outcome, Row, about, why
from oauth.workbench.fault_switch import current_fault
from smartauth_probe.introspection_faults import NONE, introspection_faults

FAULT = "smartauth.fault"  # in the scope: the fault that is sent in the place of this answer
TITLES = {"/o/token": "Token", "/o/introspect": "Introspect", "/o/revoke": "Revoke"}
GRANTS = {
    "authorization_code": "for a code",
    "refresh_token": "by refresh",
    "client_credentials": "for a backend service",
}
RIGHT = {"/o/token": "issued", "/o/revoke": "ended"}


def note_answer(scope: Scope, answer: MachineResponse, took: int) -> None:
    """Keeps a row; what is no request about a token, such as a preflight, is none."""
    if scope["path"] in TITLES and scope["method"] == "POST":
        buffer.add(_row(scope, answer, took))


def _row(scope: Scope, answer: MachineResponse, took: int) -> Row:
    request, body = parsed_request(scope), _json_object(answer.body)
    outcome, word = _outcome(scope["path"], answer, body)
    found = {
        "at": clock.now(),
        "took": took,
        "what": _title(scope["path"], request),
        "head": f"POST {scope['path']}",
        "status": answer.status,
        "answer": word,
        "outcome": outcome,
        **_about(scope["path"], request, body),
        **why(answer.explanation),
    }
    if outcome is Outcome.REFUSED and not found.get("reason"):
        found["reason"] = harmless_text(str(body.get("error_description", "")))
    return Row(**{**found, **_fault(scope, request, answer)})


def _outcome(path: str, answer: MachineResponse, body: dict[str, Any]) -> tuple[Outcome, str]:
    if answer.status != 200:
        return Outcome.REFUSED, str(answer.status)
    if path in RIGHT:
        return Outcome.OTHER, RIGHT[path]
    return (Outcome.LET_IN, "active") if body.get("active") else (Outcome.REFUSED, "inactive")


def _title(path: str, request: MachineRequest | None) -> str:
    grant = request.parameters.get("grant_type", "") if request else ""
    return f"{TITLES[path]}, {GRANTS[grant]}" if grant in GRANTS else TITLES[path]


def _about(path: str, request: MachineRequest | None, body: dict[str, Any]) -> dict[str, str]:
    """About the token: at the token endpoint the new one, at introspection the one that was asked about."""
    named = harmless_text(request.credentials.client_id) if request else ""
    if path == "/o/introspect":
        claims = _json_object(request.token_claims.encode()) if request else {}
        return about(claims)
    claims = _claims_of_jwt(str(body.get("access_token", "")))
    return {"client": named, **about({"patient": body.get("patient"), **claims})}


def _fault(scope: Scope, request: MachineRequest | None, answer: MachineResponse) -> dict[str, Any]:
    """What the caller gets in the place of a right answer."""
    name = scope.get(FAULT) or (current_fault(request.credentials.client_id) if request else "")
    if scope["path"] != "/o/introspect" or answer.status != 200 or name in ("", NONE):
        return {}
    return {"answer": name, "outcome": Outcome.OTHER, "reason": introspection_faults()[name].sentence.replace("`", "")}


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _claims_of_jwt(token: str) -> dict[str, Any]:
    """What a token that we have just made says; nothing of an opaque one."""
    parts = token.split(".")
    try:
        return _json_object(urlsafe_b64decode(parts[1] + "==")) if len(parts) == 3 else {}
    except NotBase64:
        return {}
