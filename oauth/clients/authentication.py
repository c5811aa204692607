"""Who sends a request: each client proves itself by its own method, here and nowhere else (RFC 6749 §2.3)."""

from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple, TypeVar

from oauth.clients import jwks_cache
from oauth.clients.jwks_cache import KeyFetch, KeysNotCached
from oauth.clients.jwks_fetch import NotPublic, Unfetchable
from oauth.clients.signed_assertion import Signer, consume_assertion, invalid_client
from oauth.clients.stored_credentials import UNKNOWN_CLIENT, StoredCredentials, failure, is_authentic
from oauth.http.credentials import AUTHENTICATION_FAILED, AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.http.shared_transaction import write_together
from oauth.http.writer_pool import writer_pool
from oauth.models import sql
from smart.explanation import Why
from smart.http.errors import InvalidClient

T = TypeVar("T")


class SecretClient(NamedTuple):
    """A client that proves itself by a secret, or by nothing: what is known of it."""

    pk: Annotated[int, "c.id"]
    client_id: Annotated[str, "c.client_id"]
    grants: Annotated[str, "c.grants"]
    profile: Annotated[str, "c.profile"]
    authentication: Annotated[str, "c.authentication"]
    enabled: Annotated[int, "c.enabled"]
    secret_digest: Annotated[str, "c.secret_digest"]
    old_secret_digest: Annotated[str, "c.old_secret_digest"]
    old_secret_until: Annotated[int, "c.old_secret_until"]

    @property
    def stored_credentials(self) -> StoredCredentials:
        """What it is compared with."""
        digests = (self.secret_digest, self.old_secret_digest)
        return StoredCredentials(self.authentication, self.enabled, *digests, self.old_secret_until)


_SECRET_CLIENT = sql.select(SecretClient, "FROM oauth_client c WHERE c.client_id = %s")
# Where nothing may be kept a fetch serves who came before it, and fetches of other requests and processes come between.
_ROUNDS = 10


async def run_as_client(request: MachineRequest, work: Callable[[AuthenticatedClient], T]) -> T:
    """The result of `work`, done in a writer thread for the client that sent the request. Raises InvalidClient.

    While a client's keys are fetched no thread waits; then everything is judged again.
    """
    return await _as_client(request, work, writer_pool.run)


async def write_as_client(request: MachineRequest, work: Callable[[AuthenticatedClient], T]) -> T:
    """The same for what writes: on SQLite in one transaction with others that wait. Raises TemporarilyUnavailable."""
    return await _as_client(request, work, lambda each: write_together(request, each))


async def _as_client(
    request: MachineRequest,
    work: Callable[[AuthenticatedClient], T],
    run: Callable[[Callable[[], T]], Awaitable[T]],
) -> T:
    for _ in range(_ROUNDS):
        try:
            return await run(lambda: work(authenticate(request)))
        except KeysNotCached as missing:
            await _renew_keys(missing.fetch)
    raise invalid_client("the client's keys could not be had in time", rule="CL-12", case="E99")


async def _renew_keys(key_fetch: KeyFetch) -> None:
    try:
        await jwks_cache.renew(key_fetch)
    except Unfetchable as error:
        case = "E100" if isinstance(error, NotPublic) else "E99"
        shown: Why = {"rule": "CL-12", "case": case, "presented": key_fetch.jwks_uri}
        raise invalid_client(f"the client's keys could not be had: {error}", **shown) from None


def client_of_row(request: MachineRequest, row: SecretClient) -> AuthenticatedClient | None:
    """The client of a row, if it has proved to be who sent the request: by an assertion, or by what this row says.

    None for anybody else, who is judged again, alone, for the reason.
    """
    if request.client is not None:
        return request.client if request.client.pk == row.pk else None
    presented = request.credentials
    if presented.bearer or presented.client_id != row.client_id:
        return None
    is_client = is_authentic(presented, row.stored_credentials, now=request.now)
    return authenticated_client(row) if is_client else None


def authenticate(request: MachineRequest) -> AuthenticatedClient:
    """The client that sent the request. Raises InvalidClient, the same for every reason (CL-03), and KeysNotCached."""
    if request.client is None:
        by_assertion = request.credentials.assertion
        request.client = authenticated_client(
            consume_assertion(request) if by_assertion else _client_by_secret(request)
        )
    return request.client


def _client_by_secret(request: MachineRequest) -> SecretClient:
    """The client, by one read. Raises InvalidClient."""
    if request.credentials.bearer:
        reason = "the Authorization header is not Basic"
        raise InvalidClient(AUTHENTICATION_FAILED, event_reason=reason, rule="CL-02", case="E53")
    client = sql.one(_SECRET_CLIENT, [request.credentials.client_id])
    stored = client.stored_credentials if client else UNKNOWN_CLIENT
    if not is_authentic(request.credentials, stored, now=request.now) or client is None:
        raise InvalidClient(AUTHENTICATION_FAILED, **failure(request.credentials, stored, now=request.now))
    return client


def authenticated_client(client: SecretClient | Signer) -> AuthenticatedClient:
    """What is known of a client that has proved itself."""
    grants = frozenset(client.grants.split())
    return AuthenticatedClient(client.pk, client.client_id, grants, client.authentication, client.profile)
