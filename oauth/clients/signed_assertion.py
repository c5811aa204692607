"""A client that proves itself by an assertion, which its key signed and which counts once (RFC 7523; CL-04, CL-06)."""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any, Unpack

from django.conf import settings

from oauth.clients import jwks_cache
from oauth.clients.jwks_cache import KeyFetch, KeysNotCached
from oauth.http.credentials import AUTHENTICATION_FAILED, named_client
from oauth.http.machine_request import MachineRequest
from oauth.models import Client, sql
from smart.clients import assertions, jwks
from smart.clients.assertion_rules import validate_assertion
from smart.clients.assertions import Assertion, InvalidAssertion, UnknownKey
from smart.explanation import Why
from smart.http.errors import InvalidClient, TemporarilyUnavailable
from smart.remembered import remembered
from smart.time_units import SECOND, has_begun


@dataclass(frozen=True, slots=True)
class Signer:
    """What the database knows of a client that may sign: its registered keys, and those last fetched."""

    pk: Annotated[int, "c.id"]
    client_id: Annotated[str, "c.client_id"]
    grants: Annotated[str, "c.grants"]
    profile: Annotated[str, "c.profile"]
    authentication: Annotated[str, "c.authentication"]
    enabled: Annotated[int, "c.enabled"]
    jwks: Annotated[str, "c.jwks"]
    jwks_uri: Annotated[str, "c.jwks_uri"]
    fetched_from: Annotated[str, "COALESCE(f.jwks_uri, '')"]
    fetched: Annotated[str, "COALESCE(f.keys, '')"]
    asked_at: Annotated[int, "COALESCE(f.asked_at, 0)"]
    fresh_until: Annotated[int, "COALESCE(f.fresh_until, 0)"]


SIGNER_KEYS = "LEFT JOIN oauth_fetchedkeys f ON f.client_id = c.id"
_SIGNER = sql.select(Signer, f"FROM oauth_client c {SIGNER_KEYS} WHERE c.client_id = %s")
# Its own transaction, before anything that follows: an assertion is used up also where the request fails later (CL-06).
_USE_UP = """
INSERT INTO oauth_assertionid (client_id, jti_digest, forget_at) VALUES (%s, %s, %s)
ON CONFLICT (client_id, jti_digest) DO NOTHING RETURNING id
"""


def consume_assertion(request: MachineRequest) -> Signer:
    """The client whose key signed it; nobody may send it again. Raises InvalidClient and KeysNotCached."""
    try:
        assertion = request.assertion or read_assertion(request)
        signer = require_signature(assertion, sql.one(_SIGNER, [assertion.client_id]), request)
    except InvalidAssertion as unfit:
        raise invalid_client(str(unfit), **unfit.why) from None
    tried, request.assertion_tried = request.assertion_tried, True
    unused = _use_up(assertion, signer)
    request.assertion_tried = False
    if not unused:
        if tried:
            words = "nobody heard whether this assertion was used up, sign another one"
            raise TemporarilyUnavailable(words, rule="CL-06")
        raise invalid_client("the assertion was used before: its jti is known", rule="CL-06", case="E72")
    return signer


def read_assertion(request: MachineRequest) -> Assertion:
    """What the request brought, if it says what it must; the request then names its client. Raises InvalidAssertion."""
    assertion = assertions.parse_assertion(request.credentials.assertion)
    request.credentials = request.credentials._replace(client_id=named_client(assertion.client_id))
    validate_assertion(
        assertion,
        kind=request.parameters.get("client_assertion_type"),
        client_id=request.parameters.get("client_id"),
        audiences=_audiences(request),
        now=request.now,
    )
    return assertion


def require_signature(assertion: Assertion, signer: Signer | None, request: MachineRequest) -> Signer:
    """The client of that name, if its key signed the assertion. Raises InvalidAssertion and KeysNotCached."""
    found = _require_signer(assertion, signer)
    assertions.verify_signature(assertion, _key(assertion, found, request))
    return found


def _audiences(request: MachineRequest) -> set[str]:
    """TR-11, CL-14: issuer and token endpoint anywhere, another endpoint's URL there."""
    issuer = settings.SMARTAUTH_ISSUER
    return {issuer, f"{issuer}/o/token", f"{issuer}{request.path}"}


def _require_signer(assertion: Assertion, signer: Signer | None) -> Signer:
    if signer is None or not signer.enabled or signer.authentication != Client.Authentication.KEYS:
        words = "iss is no client that proves itself by keys, or one that is disabled"
        raise InvalidAssertion(words, rule="CL-04", case="E68", presented=assertion.client_id)
    if assertion.header.get("jku", signer.jwks_uri) != signer.jwks_uri:
        sent, registered = str(assertion.header["jku"]), signer.jwks_uri or "no jku"
        words = "jku is not the registered JWKS URL"
        raise InvalidAssertion(words, rule="CL-08", case="E65", presented=sent, expected=registered)
    return signer


def _key(assertion: Assertion, signer: Signer, request: MachineRequest) -> Any:
    """The client's key for this assertion, registered or fresh. Raises InvalidAssertion or KeysNotCached."""
    if not signer.jwks_uri:
        return assertions.matching_key(assertion, _registered_keys(signer.jwks).keys)
    key_fetch = KeyFetch(signer.pk, signer.client_id, signer.jwks_uri, request.now, request.now)
    in_time = request.now < signer.fresh_until and has_begun(signer.asked_at, now=request.now)
    if signer.fetched_from != signer.jwks_uri or not in_time:
        raise KeysNotCached(key_fetch)
    try:
        return assertions.matching_key(assertion, json.loads(signer.fetched)["keys"])
    except UnknownKey as unknown:
        long_ago = request.now - jwks_cache.REFETCH_SECONDS * SECOND
        if signer.asked_at >= request.now:  # for this very request
            raise
        if signer.asked_at > long_ago:
            raise unknown.with_refetch_delay(jwks_cache.REFETCH_SECONDS) from None
        raise KeysNotCached(key_fetch._replace(asked_before=long_ago, fresh_until=jwks_cache.FOR_EVER)) from None


_registered_keys = remembered(jwks.usable_keys)


def jti_digest(assertion: Assertion) -> str:
    """What is remembered of its id, which may be any text."""
    return hashlib.sha256(assertion.jti.encode("utf-8", "surrogatepass")).hexdigest()


def _use_up(assertion: Assertion, signer: Signer) -> bool:
    return sql.value(_USE_UP, [signer.pk, jti_digest(assertion), assertion.unusable_at]) is not None


def invalid_client(event_reason: str, **why: Unpack[Why]) -> InvalidClient:
    """What is wrong with an assertion goes to the trail, and in development to the sender too (WF-06)."""
    return InvalidClient(
        f"{AUTHENTICATION_FAILED}: {event_reason}" if settings.SMARTAUTH_DEV else AUTHENTICATION_FAILED,
        event_reason=event_reason,
        **why,
    )
