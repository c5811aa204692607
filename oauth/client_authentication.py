"""Who sends a request: each client proves itself by its own method, here and nowhere else (section 7)."""

from collections.abc import Callable
from typing import TypeVar

from django.db import connection

from oauth.clients import FAILED, NOBODY, AuthenticatedClient, Kept, proven
from oauth.endpoint import MachineRequest, writers
from smart.errors import InvalidClient

T = TypeVar("T")

_CLIENT = """
SELECT id, client_id, grants, authentication, enabled, secret_digest, old_secret_digest, old_secret_until
FROM oauth_client WHERE client_id = %s
"""


async def as_client(request: MachineRequest, work: Callable[[AuthenticatedClient], T]) -> T:
    """The result of `work`, done in a writer thread for the client that sent the request. Raises InvalidClient."""
    return await writers.run(lambda: work(authenticated(request)))


def authenticated(request: MachineRequest) -> AuthenticatedClient:
    """The client that sent the request, by one read. Raises InvalidClient, the same for every reason (CL-03)."""
    if request.credentials.bearer:
        raise InvalidClient(FAILED, hint="the Authorization header is not Basic")
    if request.credentials.assertion:
        raise InvalidClient(FAILED, hint="no client here authenticates with an assertion")
    with connection.cursor() as cursor:
        cursor.execute(_CLIENT, [request.credentials.client_id])
        row = cursor.fetchone()
    if not proven(request.credentials, Kept(*row[3:]) if row else NOBODY, now=request.now):
        raise InvalidClient(FAILED)
    return AuthenticatedClient(row[0], row[1], frozenset(row[2].split()), row[3])
