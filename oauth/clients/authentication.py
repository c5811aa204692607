"""Who sends a request: each client proves itself by its own method, here and nowhere else (RFC 6749 §2.3)."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypeVar, Unpack

from django.conf import settings

from oauth.clients import jwks_cache
from oauth.clients.jwks_cache import KeyFetch, KeysNotCached
from oauth.clients.jwks_fetch import NotPublic, Unfetchable
from oauth.clients.stored_credentials import UNKNOWN_CLIENT, StoredCredentials, failure, is_authentic
from oauth.http.credentials import AUTHENTICATION_FAILED, AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.http.writer_pool import writer_pool
from oauth.models import Client, sql
from smart.clients import assertions, jwks
from smart.clients.assertion_rules import validate_assertion
from smart.clients.assertions import Assertion, InvalidAssertion, UnknownKey
from smart.explanation import Why
from smart.http.errors import InvalidClient
from smart.time_units import SECOND, has_begun

T = TypeVar("T")


class SecretClient(NamedTuple):
    """A client that proves itself by a secret, or by nothing: what is known of it."""

    pk: Annotated[int, "id"]
    client_id: Annotated[str, "client_id"]
    grants: Annotated[str, "grants"]
    profile: Annotated[str, "profile"]
    authentication: Annotated[str, "authentication"]
    enabled: Annotated[int, "enabled"]
    secret_digest: Annotated[str, "secret_digest"]
    old_secret_digest: Annotated[str, "old_secret_digest"]
    old_secret_until: Annotated[int, "old_secret_until"]

    @property
    def stored_credentials(self) -> StoredCredentials:
        """What it is compared with."""
        digests = (self.secret_digest, self.old_secret_digest)
        return StoredCredentials(self.authentication, self.enabled, *digests, self.old_secret_until)


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


_SECRET_CLIENT = sql.select(SecretClient, "FROM oauth_client WHERE client_id = %s")
_SIGNER = sql.select(
    Signer,
    """
FROM oauth_client c LEFT JOIN oauth_fetchedkeys f ON f.client_id = c.id
WHERE c.client_id = %s
""",
)
# Its own transaction, before anything that follows: an assertion is used up also where the request fails later (CL-06).
_USE_UP = """
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
        except KeysNotCached as missing:
            await _renew_keys(missing.fetch)
    raise _invalid_client("the client's keys could not be had in time", rule="CL-12", case="E99")


async def _renew_keys(key_fetch: KeyFetch) -> None:
    try:
        await jwks_cache.renew(key_fetch)
    except Unfetchable as error:
        case = "E100" if isinstance(error, NotPublic) else "E99"
        shown: Why = {"rule": "CL-12", "case": case, "presented": key_fetch.jwks_uri}
        raise _invalid_client(f"the client's keys could not be had: {error}", **shown) from None


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
        reason = "the Authorization header is not Basic"
        raise InvalidClient(AUTHENTICATION_FAILED, event_reason=reason, rule="CL-02", case="E53")
    client = sql.one(_SECRET_CLIENT, [request.credentials.client_id])
    stored = client.stored_credentials if client else UNKNOWN_CLIENT
    if not is_authentic(request.credentials, stored, now=request.now) or client is None:
        raise InvalidClient(AUTHENTICATION_FAILED, **failure(request.credentials, stored, now=request.now))
    return _authenticated(client)


def _authenticate_by_assertion(request: MachineRequest) -> AuthenticatedClient:
    """The client whose key signed the assertion, which nobody may send again."""
    try:
        assertion = assertions.parse_assertion(request.credentials.assertion)
        request.credentials = request.credentials._replace(client_id=assertion.client_id)
        validate_assertion(
            assertion,
            kind=request.parameters.get("client_assertion_type"),
            client_id=request.parameters.get("client_id"),
            audiences=_audiences(request),
            now=request.now,
        )
        signer = _read_signer(assertion)
        assertions.verify_signature(assertion, _key(assertion, signer, request))
    except InvalidAssertion as unfit:
        raise _invalid_client(str(unfit), **unfit.why) from None
    if not _use_up(assertion, signer):
        raise _invalid_client("the assertion was used before: its jti is known", rule="CL-06", case="E72")
    return _authenticated(signer)


def _authenticated(client: SecretClient | Signer) -> AuthenticatedClient:
    grants = frozenset(client.grants.split())
    return AuthenticatedClient(client.pk, client.client_id, grants, client.authentication, client.profile)


def _audiences(request: MachineRequest) -> set[str]:
    """TR-11, CL-14: issuer and token endpoint anywhere, another endpoint's URL there."""
    issuer = settings.SMARTAUTH_ISSUER
    return {issuer, f"{issuer}/o/token", f"{issuer}{request.path}"}


def _read_signer(assertion: Assertion) -> Signer:
    signer = sql.one(_SIGNER, [assertion.client_id])
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
        return assertions.matching_key(assertion, jwks.usable_keys(signer.jwks).keys)
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
            raise unknown.while_cached(jwks_cache.REFETCH_SECONDS) from None
        raise KeysNotCached(key_fetch._replace(asked_before=long_ago, fresh_until=jwks_cache.FOR_EVER)) from None


def _use_up(assertion: Assertion, signer: Signer) -> bool:
    digest = hashlib.sha256(assertion.jti.encode("utf-8", "surrogatepass")).hexdigest()
    return sql.value(_USE_UP, [signer.pk, digest, assertion.unusable_at]) is not None


def _invalid_client(event_reason: str, **why: Unpack[Why]) -> InvalidClient:
    """What is wrong with an assertion goes to the trail, and in development to the sender too (WF-06)."""
    return InvalidClient(
        f"{AUTHENTICATION_FAILED}: {event_reason}" if settings.SMARTAUTH_DEV else AUTHENTICATION_FAILED,
        event_reason=event_reason,
        **why,
    )
