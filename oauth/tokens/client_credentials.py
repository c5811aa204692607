"""client_credentials (SMART Backend Services): a client asks for itself, and no person is in it."""

import json
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from oauth.http.answer import Answer
from oauth.http.credentials import AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.models import Client
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.backend_authorization import get_or_create
from oauth.tokens.issue import issue_without_refresh
from smart.http.errors import TemporarilyUnavailable
from smart.http.parameters import Parameters
from smart.tokens.client_credentials import BackendGrant, BackendService, validate_grant

# One row a FHIR base of the client, and one more where it stands at that base for a patient and without one.
_REGISTERED = """
SELECT c.authentication, c.scope, c.backend_patient, c.backend_by_secret, c.profile, c.refuses_unknown_scopes, c.epoch,
    s.id, s.base, s.version, a.id, a.patient, a.scope, COALESCE(a.use_address, '')
FROM oauth_client c
LEFT JOIN oauth_client_fhir_servers m ON m.client_id = c.id
LEFT JOIN oauth_fhirserver s ON s.id = m.fhirserver_id
LEFT JOIN oauth_authorization a ON a.client_id = c.id AND a.fhir_server_id = s.id AND a.client_epoch = c.epoch
    AND a.user_id IS NULL AND a.ended_at = 0
WHERE c.id = %s
"""


def client_credentials(request: MachineRequest, client: AuthenticatedClient) -> Answer:
    """RFC 6749 §4.4 with SMART's rules. Raises the OAuthErrors of E95 to E98."""
    answer = issue_for_client(client.pk, request.parameters, now=request.now, address=request.address)
    return Answer(200, json.dumps(answer).encode())


@transaction.atomic
def issue_for_client(client: int, parameters: Parameters, *, now: int, address: str) -> dict[str, Any]:
    """The token answer for a client that has proved itself."""
    registered = BackendClient.of(client)
    judged = validate_grant(parameters, registered.service)
    grant = AuthorizationState.of(registered.standing(judged, now=now))
    if grant.lost:  # since the client was read, an operator has ended something
        raise TemporarilyUnavailable("access of this client is just being ended", hint=grant.lost)
    return issue_without_refresh(grant, judged.scope, now=now, address=address)


@dataclass(frozen=True, slots=True)
class BackendClient:
    """What the operator has registered of a client, and what stands of it where."""

    client: int
    epoch: int
    service: BackendService
    servers: dict[str, int]
    stands: dict[tuple[int, str], tuple[int, str, str]]

    @classmethod
    def of(cls, client: int) -> "BackendClient":
        """All of it, in one read."""
        with connection.cursor() as cursor:
            cursor.execute(_REGISTERED, [client])
            rows = cursor.fetchall()
        authentication, scope, patient, by_secret, profile, strict, epoch = rows[0][:7]
        service = BackendService(
            authentication=authentication,
            scope=scope,
            bases={base: version for *_, base, version, _, _, _, _ in rows if base},
            patient=patient,
            by_secret=bool(by_secret),
            fhir=profile == Client.Profile.SMART,
            strict_scopes=bool(strict),
        )
        places = [row[7:] for row in rows]
        servers = {base: server for server, base, *_ in places if base}
        stands = {(server, about): (pk, *rest) for server, _, _, pk, about, *rest in places if pk}
        return cls(client, epoch, service, servers, stands)

    def standing(self, judged: BackendGrant, *, now: int) -> int:
        """The authorization that this token belongs to, made or brought up to date where it has to be."""
        server = self.servers[judged.base]
        pk, allowed, use_address = self.stands.get((server, judged.patient), (0, "", ""))
        if pk and allowed == judged.allowed and not use_address:
            return pk
        about = {"patient": judged.patient, "scope": judged.allowed}
        return get_or_create(self.client, self.epoch, server, now=now, **about)
