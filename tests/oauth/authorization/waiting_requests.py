"""Requests that wait, and the browser that answers them, made without a page."""

import secrets
from typing import Any

from django.http import HttpRequest
from django.test import RequestFactory

from accounts import clock
from accounts.models import User
from accounts.session_store import SessionStore
from oauth.authorization.pending_request import Pending, stored_request
from oauth.models import PendingRequest
from smart.authorize.request import AuthorizationRequest
from tests.conftest import CHALLENGE

URI = "https://app.example.org/callback"
ADDRESS = "198.51.100.7"


def asked(**changes: Any) -> AuthorizationRequest:
    """A request as it was judged, for observations of one patient."""
    known = {
        "client_id": "the-app",
        "redirect_uri": URI,
        "state": "the state",
        "scope": "patient/Observation.rs",
        "requested_scope": "patient/Observation.rs patient/Nothing.rs",
        "left_out": ("patient/Nothing.rs",),
        "aud": "https://fhir.example.org",
        "fhir_version": "r4",
        "code_challenge": CHALLENGE,
        "needs_patient": True,
    }
    return AuthorizationRequest(**{**known, **changes})


def wait(client: Any, server: Any, user: User | None = None, request: Any = None, **fields: Any) -> Pending:
    """A row that waits, with what was asked."""
    row = PendingRequest.objects.create(
        client=client,
        fhir_server=server,
        user=user,
        handle_digest=secrets.token_hex(32),
        cookie_digest="",
        request=stored_request(URI, "the state", request or asked(), ""),
        **{"expires_at": clock.now() + 10**9, **fields},
    )
    return Pending.of(row, "the-handle")


def browser(user: User | None = None) -> HttpRequest:
    """The request of somebody's browser, with a session that is stored."""
    request = RequestFactory().post("/", REMOTE_ADDR=ADDRESS)
    request.session = SessionStore()
    request.session.save()
    if user is not None:
        request.user = user
    return request
