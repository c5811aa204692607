"""Rows of the console about what passes through Django: authorize, consent, UserInfo, FHIR, and the others."""

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse

from accounts import clock
from oauth.http.request_log import logged_route
from oauth.workbench.console.buffer import buffer
from oauth.workbench.console.harmless import harmless_path, harmless_query, harmless_text
from oauth.workbench.console.row import Outcome, Row, refusal_fields, token_fields
from oauth.workbench.memory.minted_kinds import MINTED_KIND
from smart.explanation import explanation_of
from smart.http.about_token import ABOUT_TOKEN
from smart.http.cors import CLIENT_ID

CONSENT = "/o/authorize/<str:handle>/consent"
# method and route: what it is called, and what is said where it is not refused
ROUTES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("GET", "/o/authorize"): ("Authorize", "asked"),
    ("POST", "/o/authorize"): ("Authorize", "asked"),
    ("POST", CONSENT): ("Authorize, consent", "answered"),
    ("POST", "/o/invalidate"): ("Invalidate", "ended"),
    ("POST", "/o/report"): ("Report of refusals", "noted"),
    ("POST", "/dev/tokens"): ("Test token", "minted"),
    ("POST", "/dev/tokens/new"): ("Test token", "minted"),
    ("POST", "/dev/tokens/send"): ("Test token, sent", "minted"),
}
MINTING = "/dev/tokens"
LET_IN = ("/o/userinfo", "/fhir/")
PUBLIC = ("/metadata", "smart-configuration")
BAD_REQUEST = 400


def note_page(request: HttpRequest, response: HttpResponse, took: int) -> None:
    """Keeps a row, if it is about a token."""
    route = logged_route(request)
    if route.startswith(LET_IN) and not route.endswith(PUBLIC) and request.method != "OPTIONS":
        buffer.add(_row(request, response, took, _fhir_title(request), ""))
    elif found := ROUTES.get((request.method or "", route)):
        buffer.add(_row(request, response, took, *found))


def _row(request: HttpRequest, response: HttpResponse, took: int, what: str, right: str) -> Row:
    explanation, status, kind = explanation_of(response), response.status_code, _minted_kind(request)
    is_refused = status >= BAD_REQUEST or explanation is not None
    outcome = Outcome.REFUSED if is_refused else Outcome.OTHER if right else Outcome.LET_IN
    found: dict[str, Any] = {
        "at": clock.now(),
        "took": took,
        "what": f"{what}, {kind}" if kind else what,
        "kind": kind,
        "head": _head(request),
        "status": status,
        "answer": str(status) if is_refused or not right else _word(response, right),
        "outcome": outcome,
        **_about(request),
        **refusal_fields(explanation),
    }
    if is_refused and not found.get("reason"):
        found["reason"] = _diagnostics(response)
    return Row(**found)


def _diagnostics(response: HttpResponse) -> str:
    """What the FHIR server says to everybody: nothing of the request stands in it."""
    try:
        return harmless_text(json.loads(response.content)["issue"][0]["diagnostics"])
    except (ValueError, LookupError, TypeError):
        return ""


def _word(response: HttpResponse, right: str) -> str:
    """What was done; a code in the redirect to an app says that it was allowed."""
    return "allowed" if "code=" in response.get("Location", "") else right


def _about(request: HttpRequest) -> dict[str, str]:
    claims: Mapping[str, Any] = request.META.get(ABOUT_TOKEN) or {}
    query = _query(request)
    named = request.META.get(CLIENT_ID) or query.get("client_id", "")
    return token_fields({"client_id": named, "aud": query.get("aud"), **claims})


def _query(request: HttpRequest) -> Mapping[str, Any]:
    """The parameters in the URL, none where Django refused to read so many."""
    try:
        return request.GET
    except SuspiciousOperation:
        return {}


def _minted_kind(request: HttpRequest) -> str:
    """The kind of the bad token that was ordered, "" for a good one and elsewhere."""
    about_order = request.META.get(ABOUT_TOKEN) or {}
    return str(about_order.get(MINTED_KIND, "")) if request.path.startswith(MINTING) else ""


def _is_fhir(request: HttpRequest) -> bool:
    return request.path.startswith("/fhir/")


def _fhir_title(request: HttpRequest) -> str:
    """Method and what is below the base; elsewhere the name of the endpoint."""
    if not _is_fhir(request):
        return "UserInfo"
    below = request.path.split("/", 3)[3:] or [""]
    return f"{request.method} /{harmless_path(below[0])}{_shown_query(request)}"


def _shown_query(request: HttpRequest) -> str:
    query = harmless_query(request.META.get("QUERY_STRING", ""), of_oauth=not _is_fhir(request))
    return f"?{query}" if query else ""


def _head(request: HttpRequest) -> str:
    """The request line, as far as it is harmless; handles of requests stand in no path."""
    path = harmless_path(request.path) if _is_fhir(request) else logged_route(request)
    return f"{request.method} {path}{_shown_query(request)}"
