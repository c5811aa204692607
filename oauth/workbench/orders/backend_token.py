"""A token for a backend service that proves nothing: in development, as the token endpoint would give it."""

from django.db import transaction

from accounts import clock
from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.models import AccessToken, Client
from oauth.tokens.client_credentials import issue_for_client
from oauth.workbench.orders.order import InvalidOrder
from oauth.workbench.orders.ordered_token import OrderedToken
from smart.digests import sha256_hex
from smart.http.errors import OAuthError
from smart.http.parameters import Parameters
from smart.tokens import client_credentials


@transaction.atomic
def issue_to_backend(client: Client, scope: str | None, aud: str | None) -> OrderedToken:
    """What the token endpoint would give a backend service that has proved itself. Raises InvalidOrder."""
    if client_credentials.GRANT not in client.grants.split():
        raise InvalidOrder(f"{client.client_id} asks for people, not for itself.", "user")
    now, asked = clock.now(), Parameters([("scope", scope or client.scope), ("aud", aud or "")])
    try:
        answer = issue_for_client(client.pk, asked, now=now, address="")
    except OAuthError as error:
        raise InvalidOrder(f"{error.code}: {error.description}. It may ask: {client.scope}") from None
    token = AccessToken.objects.select_related("authorization__fhir_server").get(
        digest=sha256_hex(answer["access_token"])
    )
    server = token.authorization.fhir_server
    about = {"client": client.client_id, "fhir_server": server.base}
    record_events(Event(kind=EventKind.GRANTED_BY_COMMAND, at=now, authorization=str(token.authorization), **about))
    return OrderedToken(token=answer["access_token"], answer=answer, server=server, patient=token.authorization.patient)
