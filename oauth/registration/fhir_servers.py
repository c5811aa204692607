"""A producer's own FHIR server: its row, the client it introspects with, and the clients that may reach it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts import clock
from audit.event_kinds import EventKind
from audit.trail import Event, record
from oauth.clients.secrets import client_secret_digest
from oauth.discovery import server_facts
from oauth.models import Client, FhirServer, ResourceServer
from smart.digests import random_token
from smart.fhir import base_urls
from smart.fhir.audience import canonical_url
from smart.metadata import Document, smart_configuration


class UnfitBase(Exception):
    """Why this URL cannot be protected."""


@dataclass(frozen=True, slots=True)
class RegisteredFhirServer:
    """What a producer needs to know. `secret` is shown this once and kept nowhere; "" where there was one before."""

    server: FhirServer
    client: Client
    secret: str
    added: bool
    opened_to: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """What the producer's server has to be told, by the names that the recipes read."""
        known = {"FHIR_BASE": self.server.base, "INTROSPECT": server_facts().introspection_endpoint}
        secret = {"CLIENT_SECRET": self.secret} if self.secret else {}
        return {**known, "CLIENT_ID": self.client.client_id, **secret}

    @property
    def smart_configuration(self) -> Document:
        """The document to serve under the base (DS-01)."""
        return smart_configuration(server_facts())


@transaction.atomic
def register(
    base: str,
    *,
    name: str = "",
    tells_addresses: bool = False,
    clients: Iterable[Client] = (),
    **settings: Any,
) -> RegisteredFhirServer:
    """Adds what is missing: the FHIR server, its resource-server client, the clients that may ask for its tokens.

    What is there stays as it is, so a second call changes nothing; `settings` are a new server's. Raises UnfitBase.
    """
    if problem := base_urls.base_url_problem(base):
        raise UnfitBase(problem)
    base = canonical_url(base)
    server, added = FhirServer.objects.get_or_create(base=base, defaults={"name": name or base, **settings})
    client, secret = _resource_server(server, tells_addresses=tells_addresses)
    opened = _opened(server, clients)
    _recorded(server, client, added=added, secret=secret, opened=opened)
    return RegisteredFhirServer(server, client, secret, added, opened)


def _resource_server(server: FhirServer, *, tells_addresses: bool) -> tuple[Client, str]:
    """The client that may introspect for this server, and the secret drawn for it if it is new (RG-07, RG-08)."""
    role = ResourceServer.objects.filter(fhir_server=server).select_related("client").order_by("pk").first()
    if role is not None:
        return role.client, ""
    client_id, secret = f"rs-{random_token()[:22]}", random_token()
    client = Client.objects.create(
        client_id=client_id,
        name=f"FHIR server: {server.name}",
        authentication=Client.Authentication.SECRET,
        secret_digest=client_secret_digest(client_id, secret),
        grants="",
    )
    ResourceServer.objects.create(client=client, fhir_server=server, tells_addresses=int(tells_addresses))
    return client, secret


def _opened(server: FhirServer, clients: Iterable[Client]) -> tuple[str, ...]:
    new = [client for client in clients if not client.fhir_servers.contains(server)]
    for client in new:
        client.fhir_servers.add(server)
    return tuple(client.client_id for client in new)


def client_ids_at(server: FhirServer) -> list[str]:
    """The ids of the clients that may ask for its tokens."""
    return list(Client.objects.filter(fhir_servers=server).order_by("client_id").values_list("client_id", flat=True))


def _recorded(server: FhirServer, client: Client, *, added: bool, secret: str, opened: Collection[str]) -> None:
    known: dict[str, Any] = {"at": clock.now(), "fhir_server": server.base}
    events = [Event(kind=EventKind.FHIR_SERVER_OPENED, client=client_id, **known) for client_id in opened]
    if secret:
        events.append(Event(kind=EventKind.RESOURCE_SERVER_ADDED, client=client.client_id, **known))
    if added:
        events.append(Event(kind=EventKind.FHIR_SERVER_ADDED, **known))
    if events:
        record(*events)
