"""The authorization_code grant (RFC 6749 §4.1.3, RFC 7636 §4.5): one code buys one token, and only once."""

from dataclasses import dataclass
from typing import Annotated

from django.db import transaction

from accounts import rate_limit
from audit.event_kinds import EventKind
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.http.credentials import AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.models import Client, sql
from oauth.tokens import rights_at_issue
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.issue import issue
from oauth.tokens.unheard_commit import remember_attempt, unheard_answer
from smart.authorize import pkce
from smart.digests import sha256_hex
from smart.http.errors import InvalidGrant, InvalidRequest, OAuthError
from smart.time_units import has_begun


@dataclass(frozen=True, slots=True)
class ConsumedCode:
    """A code that this request, and no other, has just consumed."""

    pk: Annotated[int, "oauth_code.id"]
    authorization_pk: Annotated[int, "oauth_code.authorization_id"]
    authorization_epoch: Annotated[int, "oauth_code.authorization_epoch"]
    redirect_uri: Annotated[str, "oauth_code.redirect_uri"]
    code_challenge: Annotated[str, "oauth_code.code_challenge"]
    issued_at: Annotated[int, "oauth_code.issued_at"]
    expires_at: Annotated[int, "oauth_code.expires_at"]
    nonce: Annotated[str, "oauth_code.nonce"]


_CONSUME = sql.returning(ConsumedCode, "UPDATE oauth_code SET consumed_at = %s WHERE digest = %s AND consumed_at = 0")
_GIVE_BACK = "UPDATE oauth_code SET consumed_at = 0 WHERE id = %s"
_REPLAYED = """
SELECT a.id FROM oauth_authorization a JOIN oauth_code c ON c.authorization_id = a.id
WHERE c.digest = %s AND a.client_id = %s AND a.ended_at = 0
"""


def authorization_code(request: MachineRequest, client: AuthenticatedClient) -> MachineResponse | OAuthError:
    """RFC 6749 §4.1.3. A refusal that has consequences is returned, so that they are committed with it."""
    code = request.required("code", rule="CG-01", case="E75")
    redirect_uri = request.required("redirect_uri", rule="CG-01", case="E80")
    verifier = code_verifier(request, client)
    with transaction.atomic():
        consumed = sql.one(_CONSUME, [request.now, sha256_hex(code)])
        if consumed is None:
            return unheard_answer(request) or _end_if_replayed(code, request, client)
        return _exchange(consumed, redirect_uri, verifier, request, client)


def code_verifier(request: MachineRequest, client: AuthenticatedClient) -> str:
    """The code_verifier; only a plain OpenID client may have none. Raises InvalidRequest."""
    if client.profile == Client.Profile.OPENID and "code_verifier" not in request.parameters:
        return ""
    verifier = request.required("code_verifier", rule="CG-01", case="E81")
    if not pkce.is_verifier(verifier):
        presented = f"{len(verifier)} characters"
        raise InvalidRequest(pkce.BAD_VERIFIER, rule="CG-02", case="E81", presented=presented)
    return verifier


def _exchange(
    code: ConsumedCode, redirect_uri: str, verifier: str, request: MachineRequest, client: AuthenticatedClient
) -> MachineResponse | OAuthError:
    authorization = AuthorizationState.of(code.authorization_pk)
    if authorization.client_pk != client.pk:
        _record(EventKind.CODE_OF_ANOTHER_CLIENT, authorization, request, reason=f"sent by {client.client_id}")
        what = "the code was issued to another client"
        return InvalidGrant("the code is not valid", what=what, rule="AZ-17", case="E79", presented=client.client_id)
    try:
        allowed = bought_access(code, authorization, redirect_uri, verifier, now=request.now)
    except InvalidGrant as error:
        sql.execute(_GIVE_BACK, [code.pk])
        _record_refusal(authorization, request, error.event_reason or error.description)
        return error
    answer = issue(allowed, now=request.now, address=request.address, code_id=code.pk, nonce=code.nonce)
    return remember_attempt(request, answer)


def _record_refusal(authorization: AuthorizationState, request: MachineRequest, reason: str) -> None:
    """The first refusals of an authorization's code are told one by one, then their number (SD-20)."""
    counted = rate_limit.count("code refused", str(authorization.pk), "", now=request.now)
    if counted.is_worth_an_event:
        reason = counted.with_number(reason)
        _record(EventKind.CODE_REFUSED, authorization, request, reason=reason)


def bought_access(
    code: ConsumedCode, authorization: AuthorizationState, redirect_uri: str, verifier: str, *, now: int
) -> AuthorizationState:
    """What this code buys its own client: what of the grant it may have today. Raises InvalidGrant."""
    if now >= code.expires_at or not has_begun(code.issued_at, now=now):
        raise InvalidGrant("the code has expired", rule="AZ-17", case="E76", since=code.expires_at)
    if redirect_uri != code.redirect_uri:
        raise InvalidGrant(
            "redirect_uri differs from the one of the authorization request",
            rule="CG-01",
            case="E80",
            presented=redirect_uri,
            expected=code.redirect_uri,
        )
    if code.code_challenge and not verifier:
        raise InvalidGrant("code_verifier is missing", rule="CG-01", case="E81")
    pkce.verify_code_verifier(code.code_challenge, verifier)
    if reason := authorization.unusable_reason_under(code.authorization_epoch):
        rule = authorization.unusable_rule
        since = authorization.ended_at or authorization.user_suspended_at
        raise InvalidGrant("the code is not valid", event_reason=reason, rule=rule, case="E85", since=since)
    if reason := rights_at_issue.refusal_reason(authorization):
        raise InvalidGrant("the code is not valid", event_reason=reason, rule="RF-11", case="E85")
    return authorization._replace(scope=rights_at_issue.allowed_scope(authorization))


def _end_if_replayed(code: str, request: MachineRequest, client: AuthenticatedClient) -> OAuthError:
    """A code that was used before kills what it bought (CG-04); one never issued kills nothing."""
    replayed = sql.value(_REPLAYED, [sha256_hex(code), client.pk])
    actor = Actor(now=request.now, address=request.address)
    if replayed and access.end_authorization(replayed, actor, EndedFor.REPLAYED).authorizations:
        _record(EventKind.CODE_REPLAYED, AuthorizationState.of(replayed), request)
    if replayed:
        what = "the code was used before; everything that it bought has ended"
        return InvalidGrant("the code is not valid", what=what, rule="CG-04", case="E77")
    what = "no code of this client waits under that value"
    return InvalidGrant("the code is not valid", what=what, rule="AZ-17", case="E76")


def _record(kind: EventKind, authorization: AuthorizationState, request: MachineRequest, *, reason: str = "") -> None:
    authorization.record_event(kind, at=request.now, address=request.address, reason=reason)
