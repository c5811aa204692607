"""client_credentials, gathered: one read for the clients of a batch, their seats, one write, one commit."""

import json
from collections import defaultdict
from typing import Annotated, NamedTuple

from audit.event_kinds import EventKind
from oauth.clients.authentication import SecretClient, client_of_row
from oauth.clients.gathered_clients import gathered_as_client
from oauth.http.credentials import AuthenticatedClient
from oauth.http.gathering import Answers, Waiting
from oauth.http.lane import Lane
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.models import sql
from oauth.tokens.allowed_method import is_allowed_method
from oauth.tokens.authorization_state import PERSON_AND_KEYS, AuthorizationState
from oauth.tokens.client_credentials import STANDING, BackendRow, granted_access, is_current
from oauth.tokens.gathered_issue import NextToken, issue_access_token
from oauth.tokens.gathered_seats import Seats, take_seats
from oauth.tokens.gathered_writes import NEW_TOKEN_IDS, Writes
from oauth.tokens.supersede import seat_key
from oauth.tokens.unheard_commit import remember_attempt
from smart.http.errors import OAuthError


class ServiceRow(NamedTuple):
    """A client of the batch, a FHIR base that it may use, and the authorization under which it uses that."""

    token_ids: Annotated[str, NEW_TOKEN_IDS]
    client: SecretClient
    backend: BackendRow
    authorization: AuthorizationState


class Granted(NamedTuple):
    """What a request gets."""

    client: AuthenticatedClient
    authorization: AuthorizationState
    scope: str


_SERVICES = sql.select(
    ServiceRow,
    f"""
FROM json_array_elements_text(%s::json) AS q (client_id)
CROSS JOIN LATERAL (SELECT * FROM oauth_client WHERE client_id = q.client_id OFFSET 0) c
LEFT JOIN oauth_client_fhir_servers n ON n.client_id = c.id
LEFT JOIN oauth_fhirserver s ON s.id = n.fhirserver_id
LEFT JOIN LATERAL (SELECT * FROM oauth_authorization a WHERE {STANDING} OFFSET 0) a ON true
{PERSON_AND_KEYS}
""",  # noqa: S608  # our own texts
)


async def gathered_client_credentials(request: MachineRequest) -> MachineResponse | None:
    """The answer to a plain request; None for what is answered alone. Raises OAuthError."""
    return await gathered_as_client(_issue_together, request)


async def _issue_together(lane: Lane, batch: list[Waiting]) -> Answers:
    services, token_ids = await _read_services(lane, batch)
    granted = [_granted(w.request, services[w.request.credentials.client_id]) for w in batch]
    seats = await take_seats(lane, [each.authorization for each in granted if each], begun=False)
    writes = Writes()
    answers = [
        _issue(writes, seats, each, token_id, waiting.request) if each else None
        for each, token_id, waiting in zip(granted, token_ids, batch, strict=True)
    ]
    await writes.commit(lane, begun=len(seats) > 1)
    return answers


async def _read_services(lane: Lane, batch: list[Waiting]) -> tuple[dict[str, list[ServiceRow]], list[int]]:
    """The rows of each client, and a new id for the token of each request."""
    names = sorted({waiting.request.credentials.client_id for waiting in batch})
    (found,) = await lane.run((_SERVICES.text, [len(batch), json.dumps(names)]))
    services: dict[str, list[ServiceRow]] = defaultdict(list)
    for row in (_SERVICES.row(*each) for each in found):
        services[row.client.client_id].append(row)
    drawn = next(iter(services.values()))[0].token_ids if services else ""
    return services, json.loads(drawn) if drawn else [0] * len(batch)


def _granted(request: MachineRequest, rows: list[ServiceRow]) -> Granted | None:
    """What it gets; None where it is refused, or where its authorization has to be made or brought up to date."""
    client = client_of_row(request, rows[0].client) if rows else None
    if client is None or "client_credentials" not in client.grants or not is_allowed_method(request, client):
        return None
    try:
        access = granted_access(request.parameters, [row.backend for row in rows])
    except OAuthError:
        return None
    for row in rows:
        if is_current(row.backend, access) and not row.authorization.unusable_reason and "user/" not in access.scope:
            return Granted(client, row.authorization, access.scope)
    return None


def _issue(writes: Writes, seats: Seats, granted: Granted, token_id: int, request: MachineRequest) -> MachineResponse:
    client, authorization, scope = granted
    numbers = seats[seat_key(authorization)].take(token_id, authorization)
    token = NextToken(authorization, token_id, numbers, scope)
    request.client = client
    return remember_attempt(request, issue_access_token(writes, token, EventKind.ISSUED, request))
