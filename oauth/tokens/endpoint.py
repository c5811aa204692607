"""The token endpoint (RFC 6749 §3.2): one plain function per grant, each with one transaction."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from audit.event_kinds import EventKind
from oauth.clients.authentication import run_as_client
from oauth.http.answer import Answer
from oauth.http.credentials import AUTHENTICATION_FAILED, NO_CREDENTIALS, AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.http.writer_pool import writer_pool
from oauth.models import Client
from oauth.tokens import refresh_token
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.client_credentials import client_credentials
from oauth.tokens.issue import issue
from smart.authorize import pkce
from smart.digests import sha256_hex
from smart.http.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    OAuthError,
    UnauthorizedClient,
    UnsupportedGrantType,
)

_CONSUME = """
UPDATE oauth_code SET consumed_at = %s WHERE digest = %s AND consumed_at = 0
RETURNING id, authorization_id, authorization_epoch, redirect_uri, code_challenge, expires_at, nonce
"""
_GIVE_BACK = "UPDATE oauth_code SET consumed_at = 0 WHERE id = %s"
_REPLAYED = """
UPDATE oauth_authorization SET epoch = epoch + 1, ended_at = %s, ended_for = 'replayed'
WHERE ended_at = 0 AND client_id = %s AND id = (SELECT authorization_id FROM oauth_code WHERE digest = %s)
RETURNING id
"""


async def token(request: MachineRequest) -> Answer:
    """RFC 6749 §3.2. Raises the OAuthError of the bad input (E44 to E98)."""
    if request.credentials == NO_CREDENTIALS:
        request.credentials = await writer_pool.run(lambda: refresh_token.unnamed_holder(request))
    return await run_as_client(request, lambda client: _token(request, client))


def _token(request: MachineRequest, client: AuthenticatedClient) -> Answer:
    in_body = settings.SMARTAUTH_TOKEN_SECRET_IN_BODY or client.profile == Client.Profile.OPENID
    if request.credentials.in_body and not in_body:
        raise InvalidClient(
            AUTHENTICATION_FAILED, hint="client_secret in the body is switched off at the token endpoint"
        )
    grant_type = request.required("grant_type")
    if grant_type not in GRANTS:
        raise UnsupportedGrantType("this server does not know that grant_type")
    if grant_type not in client.grants:
        raise UnauthorizedClient("this client may not use that grant_type")
    answer = GRANTS[grant_type](request, client)
    if isinstance(answer, OAuthError):
        raise answer
    return answer


def authorization_code(request: MachineRequest, client: AuthenticatedClient) -> Answer | OAuthError:
    """RFC 6749 §4.1.3. A refusal that has consequences is returned, so that they are committed with it."""
    code, redirect_uri = request.required("code"), request.required("redirect_uri")
    without = client.profile == Client.Profile.OPENID and "code_verifier" not in request.parameters
    verifier = "" if without else request.required("code_verifier")
    if verifier and not pkce.is_verifier(verifier):
        raise InvalidRequest("code_verifier must be 43 to 128 unreserved characters")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_CONSUME, [request.now, sha256_hex(code)])
            row = cursor.fetchone()
        if row is None:
            return _end_if_replayed(code, request, client)
        return _exchange(Consumed(*row), redirect_uri, verifier, request, client)


@dataclass(frozen=True, slots=True)
class Consumed:
    """A code that this request, and no other, has just consumed."""

    pk: int
    authorization_id: int
    authorization_epoch: int
    redirect_uri: str
    code_challenge: str
    expires_at: int
    nonce: str


def _exchange(
    code: Consumed, redirect_uri: str, verifier: str, request: MachineRequest, client: AuthenticatedClient
) -> Answer | OAuthError:
    grant = AuthorizationState.of(code.authorization_id)
    if grant.client_pk != client.pk:
        _record(EventKind.CODE_OF_ANOTHER_CLIENT, grant, request, reason=f"sent by {client.client_id}")
        return InvalidGrant("the code is not valid")
    try:
        _judge(code, grant, redirect_uri, verifier, now=request.now)
    except InvalidGrant as error:
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, [code.pk])
        _record(EventKind.CODE_REFUSED, grant, request, reason=error.hint or error.description)
        return error
    answer = issue(grant, now=request.now, address=request.address, code_id=code.pk, nonce=code.nonce)
    return Answer(200, json.dumps(answer).encode())


def _judge(code: Consumed, grant: AuthorizationState, redirect_uri: str, verifier: str, *, now: int) -> None:
    if now >= code.expires_at:
        raise InvalidGrant("the code has expired")
    if redirect_uri != code.redirect_uri:
        raise InvalidGrant("redirect_uri differs from the one of the authorization request")
    if code.code_challenge and not verifier:
        raise InvalidGrant("code_verifier is missing")
    pkce.verify_code_verifier(code.code_challenge, verifier)
    if grant.lost or code.authorization_epoch != grant.authorization_epoch:
        raise InvalidGrant("the code is not valid", hint=grant.lost or "the authorization has ended")


def _end_if_replayed(code: str, request: MachineRequest, client: AuthenticatedClient) -> OAuthError:
    """A code that was used before kills what it bought (CG-04); one never issued kills nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_REPLAYED, [request.now, client.pk, sha256_hex(code)])
        row = cursor.fetchone()
    if row:
        _record(EventKind.CODE_REPLAYED, AuthorizationState.of(row[0]), request)
    return InvalidGrant("the code is not valid")


def _record(kind: EventKind, grant: AuthorizationState, request: MachineRequest, *, reason: str = "") -> None:
    grant.record(kind, at=request.now, address=request.address, reason=reason)


GRANTS: dict[str, Callable[[MachineRequest, AuthenticatedClient], Answer | OAuthError]] = {
    "authorization_code": authorization_code,
    "refresh_token": refresh_token.refresh_token,
    "client_credentials": client_credentials,
}
