"""What a user has allowed, now or before, becomes an authorization and a code (RFC 6749 §4.1.2, AZ-16)."""

import json
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from accounts import clock, sessions
from accounts.models import User
from audit.event_kinds import EventKind
from audit.trail import record_events
from oauth.authorization.events import interaction_event
from oauth.authorization.pending_request import Pending
from oauth.ehr_launch.handles import launch_context
from oauth.ending import online_access
from oauth.models import Authorization, Code
from oauth.people import identities
from smart.clients.redirect_uris import success_redirect
from smart.digests import random_token, sha256_hex
from smart.scopes.scope_sets import has_scope, parse_scopes, scope_string
from smart.time_units import SECOND
from smart.tokens import refresh


def issue_code_redirect(request: HttpRequest, pending: Pending, user: User, scope: str, *, reason: str = "") -> str:
    """The redirect that carries a new code: answer, authorization, code and event are one transaction."""
    now = clock.now()
    with transaction.atomic():
        pending.answer(now=now)
        authorization = _create_authorization(request, pending, user, _answerable_scope(scope, pending), now=now)
        code = _create_code(pending, authorization, now=now)
        about = {"patient": authorization.patient, "authorization": str(authorization), "reason": reason}
        record_events(interaction_event(request, pending, EventKind.ALLOWED, at=now, **about))
    return success_redirect(pending.redirect_uri, code, pending.state, settings.SMARTAUTH_ISSUER)


def _create_authorization(request: HttpRequest, pending: Pending, user: User, scope: str, *, now: int) -> Authorization:
    row, context = pending.row, _context(pending, scope)
    return Authorization.objects.create(
        client=row.client,
        user=user,
        fhir_server=row.fhir_server,
        patient=context.get("patient", ""),
        scope=scope,
        requested_scope=pending.request.requested_scope,
        fhir_user=identities.fhir_user(user, row.fhir_server),
        **(online_access.session_fields(request) if refresh.refresh_scope(scope) == refresh.ONLINE else {}),
        context=json.dumps(context),
        patient_vouched=_patient_vouched(pending, user),
        auth_time=_auth_time(request),
        client_epoch=row.client.epoch,  # as they were read with the request: what ended since then ends this too
        user_epoch=user.epoch,
        fhir_server_epoch=row.fhir_server.epoch,
        granted_at=now,
    )


def _create_code(pending: Pending, authorization: Authorization, *, now: int) -> str:
    """A code of which only the digest is stored."""
    code = random_token()
    Code.objects.create(
        digest=sha256_hex(code),
        authorization=authorization,
        authorization_epoch=authorization.epoch,
        redirect_uri=pending.redirect_uri,
        code_challenge=pending.request.code_challenge,
        nonce=pending.request.nonce,
        issued_at=now,
        expires_at=now + settings.SMARTAUTH_CODE_SECONDS * SECOND,
    )
    return code


def _auth_time(request: HttpRequest) -> int:
    """When the user signed in: the login of this session (OIDC Core §2, auth_time)."""
    login = sessions.current(request)
    return login.created_at if login else 0


def _patient_vouched(pending: Pending, user: User) -> int:
    """1 = the EHR, or the FHIR server by its search, says that this person sees this patient."""
    row = pending.row
    return (
        row.launch.patient_vouched
        if row.launch
        else int(bool(row.patient) and identities.finds_patients_by_search(user, row.fhir_server))
    )


def _answerable_scope(scope: str, pending: Pending) -> str:
    """Without launch/encounter where there is no visit to tell of: scopes in the answer are the truth (SCP-06)."""
    if pending.row.launch or pending.row.encounter:
        return scope
    return scope_string(part for part in parse_scopes(scope) if part.short_name != "launch/encounter")


def _context(pending: Pending, scope: str) -> dict[str, Any]:
    """The context that an EHR or the pickers put the app in."""
    row = pending.row
    patient = row.patient if pending.request.needs_patient or pending.launch_patient else ""
    context = launch_context(row.launch, patient, row.client)
    picked = row.encounter and not row.launch and has_scope(scope, "launch/encounter")
    return {**context, "encounter": row.encounter} if picked else context
