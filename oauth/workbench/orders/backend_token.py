"""Tokens for a backend service that proves nothing: in development, as the token endpoint would give them."""

from dataclasses import dataclass

from django.db import transaction

from accounts import clock
from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.models import AccessToken, Authorization, Client, FhirServer, PatientRecord
from oauth.tokens.client_credentials import authorize_client, issue_for_client
from oauth.workbench.orders.order import InvalidOrder, Order
from oauth.workbench.orders.ordered_token import OrderedToken
from smart.digests import sha256_hex
from smart.http.errors import OAuthError
from smart.http.parameters import Parameters
from smart.tokens import client_credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendOrder(Order):
    """A token for the service itself, from which another one is made. `patient` is whose record is asked for."""

    def create_authorization(self, *, now: int) -> Authorization:
        """The one that the service has or gets: all its tokens hang on it, so what ends it cannot be ordered."""
        state, scope = authorize_client(self.client.pk, _parameters(self.scope, self.server.base), now=now)
        authorization: Authorization = Authorization.objects.get(pk=state.pk)
        authorization.scope = scope  # of this token; the row says what the operator allows
        return authorization


@transaction.atomic
def parse_backend_order(client: Client, scope: str | None, aud: str | None, patient: str | None) -> BackendOrder:
    """Raises InvalidOrder."""
    _require_service(client)
    try:
        state, granted = authorize_client(client.pk, _parameters(scope or client.scope, aud), now=clock.now())
    except OAuthError as error:
        raise InvalidOrder(_sentence(error, client)) from None
    server = FhirServer.objects.get(pk=state.fhir_server_pk)
    record = patient or state.patient or _first_record(server)
    return BackendOrder(client=client, person=None, server=server, patient=record, scope=granted)


@transaction.atomic
def issue_to_backend(client: Client, scope: str | None, aud: str | None) -> OrderedToken:
    """What the token endpoint would give a backend service that has proved itself. Raises InvalidOrder."""
    _require_service(client)
    now, asked = clock.now(), _parameters(scope or client.scope, aud)
    try:
        answer = issue_for_client(client.pk, asked, now=now, address="")
    except OAuthError as error:
        raise InvalidOrder(_sentence(error, client)) from None
    token = AccessToken.objects.select_related("authorization__fhir_server").get(
        digest=sha256_hex(answer["access_token"])
    )
    server = token.authorization.fhir_server
    about = {"client": client.client_id, "fhir_server": server.base}
    record_events(Event(kind=EventKind.GRANTED_BY_COMMAND, at=now, authorization=str(token.authorization), **about))
    return OrderedToken(token=answer["access_token"], answer=answer, server=server, patient=token.authorization.patient)


def _require_service(client: Client) -> None:
    if client_credentials.GRANT not in client.grants.split():
        raise InvalidOrder(f"{client.client_id} asks for people, not for itself.", "user")


def _parameters(scope: str, aud: str | None) -> Parameters:
    return Parameters([("scope", scope), ("aud", aud or "")])


def _sentence(error: OAuthError, client: Client) -> str:
    return f"{error.code}: {error.description}. It may ask: {client.scope}"


def _first_record(server: FhirServer) -> str:
    """A record to ask for: with scopes of a service it is as good as any other."""
    known = PatientRecord.objects.filter(fhir_server=server).order_by("pk").values_list("patient", flat=True)
    return str(known.first() or "amy")
