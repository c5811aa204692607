"""client_credentials (SMART Backend Services): a client asks for itself, and no person is in it."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from django.db import transaction

from oauth.http.credentials import AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.models import Client, sql
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.backend_authorization import Epochs, get_or_create
from oauth.tokens.issue import issue_without_refresh
from smart.http.errors import TemporarilyUnavailable
from smart.http.parameters import Parameters
from smart.tokens.client_credentials import BackendGrant, BackendService, validate_grant


class BackendRow(NamedTuple):
    """The client (c), a FHIR base that it may use (s), and the authorization under which it uses that (a).

    One row a base, and one more where it has an authorization there for a patient and one without.
    """

    authentication: Annotated[str, "c.authentication"]
    scope: Annotated[str, "c.scope"]
    backend_patient: Annotated[str, "c.backend_patient"]
    backend_by_secret: Annotated[int, "c.backend_by_secret"]
    profile: Annotated[str, "c.profile"]
    refuses_unknown_scopes: Annotated[int, "c.refuses_unknown_scopes"]
    client_epoch: Annotated[int, "c.epoch"]
    fhir_server_epoch: Annotated[int, "s.epoch"]
    fhir_server_pk: Annotated[int | None, "s.id"]
    base: Annotated[str, "s.base"]
    version: Annotated[str, "s.version"]
    authorization_pk: Annotated[int | None, "a.id"]
    patient: Annotated[str, "a.patient"]
    allowed_scope: Annotated[str, "a.scope"]
    use_address: Annotated[str, "COALESCE(a.use_address, '')"]


_BACKEND_ROWS = sql.select(
    BackendRow,
    """
FROM oauth_client c
LEFT JOIN oauth_client_fhir_servers m ON m.client_id = c.id
LEFT JOIN oauth_fhirserver s ON s.id = m.fhirserver_id
LEFT JOIN oauth_authorization a ON a.client_id = c.id AND a.fhir_server_id = s.id AND a.client_epoch = c.epoch
    AND a.fhir_server_epoch = s.epoch AND a.user_id IS NULL AND a.ended_at = 0
WHERE c.id = %s
""",
)


def client_credentials(request: MachineRequest, client: AuthenticatedClient) -> MachineResponse:
    """RFC 6749 §4.4 with SMART's rules. Raises the OAuthErrors of E95 to E98."""
    answer = issue_for_client(client.pk, request.parameters, now=request.now, address=request.address)
    return MachineResponse(200, json.dumps(answer).encode())


@transaction.atomic
def issue_for_client(client: int, parameters: Parameters, *, now: int, address: str) -> dict[str, Any]:
    """The token answer for a client that has proved itself."""
    authorization, scope = authorize_client(client, parameters, now=now)
    return issue_without_refresh(authorization, scope, now=now, address=address)


def authorize_client(client: int, parameters: Parameters, *, now: int) -> tuple[AuthorizationState, str]:
    """The authorization of a client that has proved itself, and the scope that its request is granted."""
    rows = sql.many(_BACKEND_ROWS, [client])
    granted = validate_grant(parameters, _service(rows))
    authorization = AuthorizationState.of(_authorization_pk(client, rows, granted, now=now))
    if reason := authorization.unusable_reason:  # since the client was read, an operator has ended something
        words, rule = "access of this client is just being ended", authorization.unusable_rule
        raise TemporarilyUnavailable(words, event_reason=reason, rule=rule)
    return authorization, granted.scope


def _service(rows: Sequence[BackendRow]) -> BackendService:
    """What the operator has registered."""
    client = rows[0]
    return BackendService(
        authentication=client.authentication,
        scope=client.scope,
        bases={row.base: row.version for row in rows if row.base},
        patient=client.backend_patient,
        by_secret=bool(client.backend_by_secret),
        fhir=client.profile == Client.Profile.SMART,
        refuses_unknown_scopes=bool(client.refuses_unknown_scopes),
    )


def _authorization_pk(client: int, rows: Sequence[BackendRow], granted: BackendGrant, *, now: int) -> int:
    """The authorization that this token belongs to, made or brought up to date where it has to be."""
    at_base = [row for row in rows if row.base == granted.base]
    for row in at_base:
        is_current = row.allowed_scope == granted.allowed and not row.use_address
        if row.authorization_pk and row.patient == granted.patient and is_current:
            return row.authorization_pk
    server, epochs = at_base[0].fhir_server_pk or 0, Epochs(at_base[0].client_epoch, at_base[0].fhir_server_epoch)
    return get_or_create(client, server, epochs, patient=granted.patient, scope=granted.allowed, now=now)
