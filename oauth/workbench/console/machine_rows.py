"""Rows of the console about token, introspect and revoke, and about decisions."""

import json
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any

from accounts import clock
from oauth.http.asgi import Scope
from oauth.http.endpoint import parsed_request
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.workbench.console.buffer import buffer
from oauth.workbench.console.harmless import harmless_text
from oauth.workbench.console.row import Outcome, Row, refusal_fields, token_fields
from oauth.workbench.faults.introspection import is_met
from oauth.workbench.faults.switch import FAULT, current_fault
from oauth.workbench.memory.minted_kinds import kind_of
from oauth.workbench.memory.questions import asked_digest
from smart.decisions.authzen import MalformedEvaluation, parse_evaluation
from smart.decisions.gateway import GATEWAY
from smartauth_probe.introspection_faults import NONE, introspection_faults

INTROSPECT = "/o/introspect"
DECISIONS = {"/access/v1/evaluation": "Decision", "/access/v1/evaluations": "Decisions", GATEWAY: "Gateway"}
TITLES = {"/o/token": "Token", INTROSPECT: "Introspect", "/o/revoke": "Revoke", **DECISIONS}
GRANTS = {
    "authorization_code": "for a code",
    "refresh_token": "by refresh",
    "client_credentials": "for a backend service",
}
RIGHT = {"/o/token": "issued", "/o/revoke": "ended"}


def note_answer(scope: Scope, answer: MachineResponse, took: int) -> None:
    """Keeps a row; what is no request about a token, such as a preflight, is none."""
    if scope["path"] in TITLES and (scope["method"] == "POST" or scope["path"] == GATEWAY):
        buffer.add(_row(scope, answer, took))


def _row(scope: Scope, answer: MachineResponse, took: int) -> Row:
    request, body = parsed_request(scope), _json_object(answer.body)
    outcome, word = _outcome(scope["path"], answer, body)
    found = {
        "at": clock.now(),
        "took": took,
        "what": _title(scope["path"], request),
        "head": f"{scope['method']} {scope['path']}",
        "status": answer.status,
        "answer": word,
        "outcome": outcome,
        **_about(scope["path"], request, body),
        **refusal_fields(answer.explanation),
    }
    if outcome is Outcome.REFUSED:
        reasons = (_denial(body), str(found.get("reason", "")))
        found["reason"] = ". ".join(filter(None, reasons)) or harmless_text(str(body.get("error_description", "")))
    return Row(**{**found, **_fault(scope, request, answer)})


def _outcome(path: str, answer: MachineResponse, body: dict[str, Any]) -> tuple[Outcome, str]:
    if answer.status != 200:
        return Outcome.REFUSED, str(answer.status)
    if path in RIGHT:
        return Outcome.OTHER, RIGHT[path]
    if path in DECISIONS:
        return _decision(body)
    return (Outcome.ACTIVE, "active") if body.get("active") else (Outcome.REFUSED, "inactive")


def _decision(body: dict[str, Any]) -> tuple[Outcome, str]:
    """Refused is what allows nothing; of many decisions it is said how many allow."""
    decisions = [one.get("decision") is True for one in body.get("evaluations", [body])]
    outcome = Outcome.OTHER if any(decisions) else Outcome.REFUSED
    if "evaluations" in body:
        return outcome, f"{sum(decisions)} of {len(decisions)} allowed"
    return outcome, "allowed" if any(decisions) else "denied"


def _denial(body: dict[str, Any]) -> str:
    """Why a decision denies, and what the FHIR server shall answer; nothing of the request stands in it."""
    context = body.get("context", {})
    told = context.get("http", {}).get("status", "")
    return f"{context['reason']}: the FHIR server must answer {told}" if "reason" in context else ""


def _title(path: str, request: MachineRequest | None) -> str:
    if request is None:
        return TITLES[path]
    if path in DECISIONS:
        return ", ".join(filter(None, (TITLES[path], _question(request.members))))
    grant = request.parameters.get("grant_type", "")
    return f"{TITLES[path]}, {GRANTS[grant]}" if grant in GRANTS else TITLES[path]


def _question(members: Mapping[str, Any]) -> str:
    """What one decision is about; "" for many, and for one that cannot be read."""
    if "evaluations" in members:
        return ""
    try:
        asked = parse_evaluation(members).question
    except MalformedEvaluation:
        return ""
    return harmless_text(f"{asked.interaction} of {asked.type}")


def _about(path: str, request: MachineRequest | None, body: dict[str, Any]) -> dict[str, Any]:
    """About the token: at the token endpoint the new one, elsewhere the one that was asked about, and the asker."""
    named = harmless_text(request.credentials.client_id) if request else ""
    if path == INTROSPECT or path in DECISIONS:
        return {"asker": named, **_asked_about(request)} if request else {}
    claims = _claims_of_jwt(str(body.get("access_token", "")))
    return {"client": named, **token_fields({"patient": body.get("patient"), **claims})}


def _asked_about(request: MachineRequest) -> dict[str, Any]:
    claims = _json_object(request.token_claims.encode())
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    return {
        **token_fields(claims),
        "kind": kind_of(asked_digest(request)),
        "audiences": tuple(harmless_text(name) for name in named if isinstance(name, str)),
        "has_scope": bool(claims.get("scope")),
    }


def _fault(scope: Scope, request: MachineRequest | None, answer: MachineResponse) -> dict[str, Any]:
    """What the caller gets in the place of a right answer."""
    name = scope.get(FAULT) or (current_fault(request.credentials.client_id) if request else "")
    if name in ("", NONE) or not is_met(name, scope["path"], answer.status):
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
