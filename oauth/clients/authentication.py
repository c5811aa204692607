"""Who sends a request: each client proves itself by its own method, here and nowhere else (RFC 6749 §2.3)."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection

from oauth.clients import jwks_cache
from oauth.clients.jwks_cache import KeyFetch, KeysNotCached
from oauth.clients.jwks_fetch import Unfetchable
from oauth.clients.stored_credentials import UNKNOWN_CLIENT, StoredCredentials, is_authentic
from oauth.http.credentials import AUTHENTICATION_FAILED, AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.http.writer_pool import writer_pool
from oauth.models import Client
from smart.clients import assertions, jwks
from smart.clients.assertions import Assertion, InvalidAssertion, UnknownKey
from smart.http.errors import InvalidClient
from smart.time_units import SECOND

T = TypeVar("T")

_CLIENT = """
SELECT id, client_id, grants, profile, authentication, enabled, secret_digest, old_secret_digest, old_secret_until
FROM oauth_client WHERE client_id = %s
"""
_SIGNER = """
SELECT c.id, c.client_id, c.grants, c.authentication, c.enabled, c.jwks, c.jwks_uri,
    COALESCE(f.jwks_uri, ''), COALESCE(f.keys, ''), COALESCE(f.asked_at, 0), COALESCE(f.fresh_until, 0), c.profile
FROM oauth_client c LEFT JOIN oauth_fetchedkeys f ON f.client_id = c.id
WHERE c.client_id = %s
"""
# Its own transaction, before anything that follows: an assertion is used up also where the request fails later (CL-06).
_REMEMBER = """
INSERT INTO oauth_assertionid (client_id, jti_digest, forget_at) VALUES (%s, %s, %s)
ON CONFLICT (client_id, jti_digest) DO NOTHING RETURNING id
"""
# Where nothing may be kept a fetch serves who came before it, and fetches of other requests and processes come between.
_ROUNDS = 10


async def run_as_client(request: MachineRequest, work: Callable[[AuthenticatedClient], T]) -> T:
    """The result of `work`, done in a writer thread for the client that sent the request. Raises InvalidClient.

    While a client's keys are fetched no thread waits; then everything is judged again.
    """
    for _ in range(_ROUNDS):
        try:
            return await writer_pool.run(lambda: work(authenticate(request)))
        except KeysNotCached as found:
            await _renew_keys(found.wanted)
    raise _invalid_client("the client's keys could not be had in time")


async def _renew_keys(wanted: KeyFetch) -> None:
    try:
        await jwks_cache.renew(wanted)
    except Unfetchable as error:
        raise _invalid_client(f"the client's keys could not be had: {error}") from None


def authenticate(request: MachineRequest) -> AuthenticatedClient:
    """The client that sent the request. Raises InvalidClient, the same for every reason (CL-03), and KeysNotCached."""
    if request.client is None:
        request.client = (
            _authenticate_by_assertion(request) if request.credentials.assertion else _authenticate_by_secret(request)
        )
    return request.client


def _authenticate_by_secret(request: MachineRequest) -> AuthenticatedClient:
    """The client, by one read."""
    if request.credentials.bearer:
        raise InvalidClient(AUTHENTICATION_FAILED, hint="the Authorization header is not Basic")
    row = _row(_CLIENT, request.credentials.client_id)
    if not is_authentic(request.credentials, StoredCredentials(*row[4:]) if row else UNKNOWN_CLIENT, now=request.now):
        raise InvalidClient(AUTHENTICATION_FAILED)
    return AuthenticatedClient(row[0], row[1], frozenset(row[2].split()), row[4], row[3])


@dataclass(frozen=True, slots=True)
class Signer:
    """What the database knows of a client that may sign: its registered keys, and those last fetched."""

    pk: int
    client_id: str
    grants: str
    authentication: str
    enabled: int
    jwks: str
    jwks_uri: str
    fetched_from: str
    fetched: str
    asked_at: int
    fresh_until: int
    profile: str


def _authenticate_by_assertion(request: MachineRequest) -> AuthenticatedClient:
    """The client whose key signed the assertion, which nobody may send again."""
    try:
        assertion = assertions.parse_assertion(request.credentials.assertion)
        request.credentials = request.credentials._replace(client_id=assertion.client_id)
        assertions.validate_assertion(
            assertion,
            kind=request.parameters.get("client_assertion_type"),
            client_id=request.parameters.get("client_id"),
            audiences=_audiences(request),
            now=request.now,
        )
        signer = _read_signer(assertion)
        assertions.verify_signature(assertion, _key(assertion, signer, request))
    except InvalidAssertion as unfit:
        raise _invalid_client(str(unfit)) from None
    if not _use_up(assertion, signer):
        raise _invalid_client("the assertion was used before: its jti is known")
    grants = frozenset(signer.grants.split())
    return AuthenticatedClient(signer.pk, signer.client_id, grants, signer.authentication, signer.profile)


def _audiences(request: MachineRequest) -> set[str]:
    """TR-11, CL-14: issuer and token endpoint anywhere, another endpoint's address there."""
    issuer = settings.SMARTAUTH_ISSUER
    return {issuer, f"{issuer}/o/token", f"{issuer}{request.path}"}


def _read_signer(assertion: Assertion) -> Signer:
    row = _row(_SIGNER, assertion.client_id)
    if row is None or not row[4] or row[3] != Client.Authentication.KEYS:
        raise InvalidAssertion("iss is no client that proves itself by keys, or one that is disabled")
    signer = Signer(*row)
    if assertion.header.get("jku", signer.jwks_uri) != signer.jwks_uri:
        raise InvalidAssertion("jku is not the registered JWKS URL")
    return signer


def _key(assertion: Assertion, signer: Signer, request: MachineRequest) -> Any:
    """The client's key for this assertion, from what is registered or fresh. Raises UnfitAssertion or KeysNotCached."""
    if not signer.jwks_uri:
        return assertions.matching_key(assertion, jwks.usable_keys(signer.jwks).keys)
    wanted = KeyFetch(signer.pk, signer.client_id, signer.jwks_uri, request.now, request.now)
    if signer.fetched_from != signer.jwks_uri or request.now >= signer.fresh_until:
        raise KeysNotCached(wanted)
    try:
        return assertions.matching_key(assertion, json.loads(signer.fetched)["keys"])
    except UnknownKey:
        long_ago = request.now - jwks_cache.REFETCH_SECONDS * SECOND
        if signer.asked_at > long_ago:
            raise
        raise KeysNotCached(wanted._replace(asked_before=long_ago, fresh_until=jwks_cache.FOR_EVER)) from None


def _use_up(assertion: Assertion, signer: Signer) -> bool:
    digest = hashlib.sha256(assertion.jti.encode("utf-8", "surrogatepass")).hexdigest()
    return _row(_REMEMBER, signer.pk, digest, assertion.unusable_at) is not None


def _row(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


def _invalid_client(hint: str) -> InvalidClient:
    """What is wrong with an assertion goes to the trail, and in development to whoever sent it (WF-06)."""
    return InvalidClient(
        f"{AUTHENTICATION_FAILED}: {hint}" if settings.SMARTAUTH_DEV else AUTHENTICATION_FAILED, hint=hint
    )
