"""Who asks: a resource server that proves itself as a client, or the holder of a token for introspection (IN-07)."""

import asyncio
import json
from typing import ClassVar

from introspection.batched_lookup import batched_lookup
from introspection.token_lookup import LookupRow, dead_reason
from oauth.clients.gathered_clients import authenticate_by_assertion
from oauth.clients.stored_credentials import UNKNOWN_CLIENT, StoredCredentials, failure, is_authentic
from oauth.http.credentials import AUTHENTICATION_FAILED
from oauth.http.failures import count_failure_in_pool
from oauth.http.machine_request import MachineRequest
from oauth.models import Client
from smart.digests import sha256_hex
from smart.http.errors import InsufficientScope, InvalidClient, InvalidToken
from smart.tokens.liveness import ISSUED, RULES, Dead

SCOPE = "__smartauth.introspect"
DEAD = "the access token is unknown, expired or ended"


class NoIntrospectionScope(InsufficientScope):
    headers: ClassVar[dict[str, str]] = {
        "WWW-Authenticate": f'Bearer realm="smartauth", error="insufficient_scope", scope="{SCOPE}"'
    }


async def authenticate_and_look_up(request: MachineRequest, token: str) -> tuple[LookupRow, bool]:
    """The row of the token with this digest, and whether the caller may hear of it. Raises what E104 and E105 say."""
    if request.credentials.bearer:
        return await _look_up_by_token(request, token)
    await authenticate_by_assertion(request)
    found = await batched_lookup().find(token, request.credentials.client_id)
    if not request.credentials.assertion:
        _authenticate(request, found)
    return found, found.role is not None


async def _look_up_by_token(request: MachineRequest, token: str) -> tuple[LookupRow, bool]:
    """Both tokens in one statement. A caller that names a token that never was is guessing, and is counted (TK-10)."""
    find = batched_lookup().find
    own, found = await asyncio.gather(find(sha256_hex(request.credentials.bearer), ""), find(token, ""))
    if own.token is None:
        unknown = InvalidToken(DEAD, what=ISSUED.broken, rule=ISSUED.rule, case="E104")
        raise await count_failure_in_pool(unknown, request)
    if reason := dead_reason(own, request.now):
        what = f"the access token that asks is dead: {RULES[reason].broken}"
        since = own.expires_at if reason is Dead.EXPIRED else 0
        raise InvalidToken(DEAD, what=what, rule=RULES[reason].rule, case="E108", since=since)
    if SCOPE not in own.scope.split():
        words = f"the access token lacks the scope {SCOPE}"
        raise NoIntrospectionScope(words, rule="IN-07", case="E105", presented=own.scope, expected=SCOPE)
    _name_caller(request, json.loads(own.claims)["client_id"])
    return found, found.fhir_server == own.fhir_server


def _name_caller(request: MachineRequest, client_id: str) -> None:
    """The events about this request name this client."""
    request.credentials = request.credentials._replace(client_id=client_id)


def _authenticate(request: MachineRequest, found: LookupRow) -> None:
    """Raises InvalidClient unless the caller proved itself by a secret; a public client has nothing to prove with."""
    kept = _stored_credentials(found)
    if (
        not is_authentic(request.credentials, kept, now=request.now)
        or kept.authentication == Client.Authentication.NONE
    ):
        why = failure(request.credentials, kept, now=request.now)
        raise InvalidClient(AUTHENTICATION_FAILED, **why)


def _stored_credentials(found: LookupRow) -> StoredCredentials:
    if found.caller_authentication is None:
        return UNKNOWN_CLIENT
    return StoredCredentials(
        found.caller_authentication,
        found.caller_enabled,
        found.caller_secret,
        found.caller_old_secret,
        found.caller_old_secret_until,
    )
