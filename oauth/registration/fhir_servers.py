"""FHIR servers: the rules of one, and all that it needs: its row, its resource-server client, clients that reach it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from audit.event_kinds import EventKind
from audit.trail import record_events
from oauth.clients import secrets
from oauth.discovery import server_facts
from oauth.ending.selection import Actor
from oauth.models import Client, FhirServer, ResourceServerRole
from oauth.registration.problems import (
    MAX_NAME_LENGTH,
    InvalidRegistration,
    Problems,
    choice_problem,
    collect,
    number_problem,
    sentence,
    text_problems,
)
from smart.digests import random_token
from smart.fhir import base_urls
from smart.fhir.audience import canonical_url
from smart.metadata import Document, smart_configuration
from smart.tokens.claim_profiles import mapping_problem

_CHOICES = (
    "version",
    "token_format",
    "signing_algorithm",
    "address_policy",
    "claim_profile",
    "patient_source",
)


def problems(server: FhirServer) -> Problems:
    """Why this FHIR server may not be protected, by field; {} if it may (AZ-08, DS-24, SD-17)."""
    longest = settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS
    return collect(
        base=_base_problems(server.base),
        name=text_problems(server.name, required=True),
        **{name: [choice_problem(server, name)] for name in _CHOICES},
        access_token_seconds=[number_problem(server.access_token_seconds, 0, longest)],
        claim_mapping=[sentence(mapping_problem(server.claim_profile, server.claim_mapping))],
    )


def _base_problems(base: str) -> list[str]:
    own = canonical_url(base) == canonical_url(f"{settings.SMARTAUTH_ISSUER}/o/userinfo")
    problem = "it is the UserInfo endpoint of this server" if own else base_urls.base_url_problem(base)
    return [sentence(problem)]


@dataclass(frozen=True, slots=True)
class RegisteredFhirServer:
    """What a producer needs to know. `secret` is shown this once and kept nowhere; "" where there was one before."""

    server: FhirServer
    client: Client
    secret: str
    added: bool
    rotated: bool
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
    server: FhirServer,
    actor: Actor,
    *,
    tells_addresses: bool = False,
    clients: Iterable[Client] = (),
    new_secret: bool = False,
) -> RegisteredFhirServer:
    """Adds what is missing: the FHIR server, its resource-server client, the clients that may ask for its tokens.

    What is there stays as it is, so a second call changes nothing, unless it asks for a new secret: the old one then
    works for a while (RG-08). Raises InvalidRegistration, and then nothing is written.
    """
    if found := problems(server):
        raise InvalidRegistration(found)
    server.base = canonical_url(server.base)
    known = FhirServer.of(server.base)
    if known is None:
        server.save()
    client, secret = _resource_server_client(known or server, tells_addresses=tells_addresses)
    drawn = not secret and new_secret
    secret = _new_secret(client, actor) if drawn else secret
    opened = _open_to(known or server, clients)
    done = RegisteredFhirServer(known or server, client, secret, known is None, drawn, opened)
    _record_events(done, actor)
    return done


def _resource_server_client(server: FhirServer, *, tells_addresses: bool) -> tuple[Client, str]:
    """The client that may introspect for this server, and the secret drawn for it if it is new (RG-07, RG-08)."""
    role = ResourceServerRole.objects.filter(fhir_server=server).select_related("client").order_by("pk").first()
    if role is not None:
        return role.client, ""
    client = Client(
        client_id=f"rs-{random_token()[:22]}",
        name=f"FHIR server: {server.name}"[:MAX_NAME_LENGTH],
        authentication=Client.Authentication.SECRET,
        grants="",
    )
    secret = secrets.assign_secret(client)
    client.save()
    ResourceServerRole.objects.create(client=client, fhir_server=server, tells_addresses=int(tells_addresses))
    return client, secret


def _new_secret(client: Client, actor: Actor) -> str:
    if client.authentication != Client.Authentication.SECRET:
        raise InvalidRegistration({"new_secret": [f"{client.client_id} proves itself by keys and has no secret."]})
    secret = secrets.rotate(client, secrets.rotation_number(client), now=actor.now)
    if not secret:
        raise InvalidRegistration({"new_secret": ["Another rotation came first."]})
    return secret


def _open_to(server: FhirServer, clients: Iterable[Client]) -> tuple[str, ...]:
    new = [client for client in clients if not client.fhir_servers.contains(server)]
    for client in new:
        client.fhir_servers.add(server)
    return tuple(client.client_id for client in new)


def client_ids_at(server: FhirServer) -> list[str]:
    """The ids of the clients that may ask for its tokens."""
    return list(Client.objects.filter(fhir_servers=server).order_by("client_id").values_list("client_id", flat=True))


def _record_events(done: RegisteredFhirServer, actor: Actor) -> None:
    known = {"fhir_server": done.server.base}
    events = [actor.event(EventKind.FHIR_SERVER_OPENED, client=client_id, **known) for client_id in done.opened_to]
    if done.secret:
        kind = EventKind.SECRET_ROTATED if done.rotated else EventKind.RESOURCE_SERVER_ADDED
        events.append(actor.event(kind, client=done.client.client_id, **known))
    if done.added:
        events.append(actor.event(EventKind.FHIR_SERVER_ADDED, **known))
    if events:
        record_events(*events)
