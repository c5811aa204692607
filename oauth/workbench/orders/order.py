"""What a token is made for in development: client, person, FHIR server, patient and scopes, as they are named."""

import json
from dataclasses import dataclass

from accounts.models import User
from accounts.usernames import find_user
from oauth.models import Authorization, Client, FhirServer
from oauth.people.identities import shareable_records
from smart.authorize.unvalidated_request import is_supported
from smart.fhir.audience import canonical_url
from smart.fhir.versions import resource_types
from smart.scopes.scope_sets import grantable_scope
from smart.text import ascii_excerpt
from smartauth_probe.token_order import DEFAULT_SCOPE

SCOPE_WITHOUT_PATIENT = "user/*.rs"
NO_PATIENT = ""  # said in the place of a patient


class InvalidOrder(Exception):
    """Why there is no such token; `option` is what somebody should say otherwise, "" where nothing helps."""

    def __init__(self, sentence: str, option: str = "") -> None:
        super().__init__(sentence)
        self.option = option


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A launch that nobody has to click through; the limits of a launch hold. `patient` may be NO_PATIENT."""

    client: Client
    person: User | None
    server: FhirServer
    patient: str
    scope: str

    def create_authorization(self, *, now: int) -> Authorization:
        """What the person would have granted."""
        assert self.person is not None  # noqa: S101  # of a service see BackendOrder
        created: Authorization = Authorization.objects.create(
            client=self.client,
            user=self.person,
            fhir_server=self.server,
            patient=self.patient,
            scope=self.scope,
            context=json.dumps({"patient": self.patient} if self.patient else {}),
            client_epoch=self.client.epoch,
            user_epoch=self.person.epoch,
            fhir_server_epoch=self.server.epoch,
            granted_at=now,
        )
        return created


def parse_order(client: Client, user: str, scope: str | None, aud: str | None, patient: str | None) -> Order:
    """Raises InvalidOrder."""
    person, server = _person(user), _server(client, aud)
    patient = _patient(person, server, patient)
    asked = scope or (DEFAULT_SCOPE if patient else SCOPE_WITHOUT_PATIENT)
    allowed = grantable_scope(asked, client.scope, types=resource_types(server.version), supported=is_supported)
    if not allowed:
        raise InvalidOrder(
            f"None of these scopes can be granted to {client.client_id}. It may ask: {client.scope}", "scope"
        )
    if not patient and any(each.startswith(("patient/", "launch/patient")) for each in allowed.split()):
        raise InvalidOrder("Without a patient it takes scopes such as user/*.rs, none for one patient.", "scope")
    return Order(client=client, person=person, server=server, patient=patient, scope=allowed)


def find_client(client_id: str) -> Client:
    """An enabled client. Raises InvalidOrder."""
    client = Client.of(client_id)
    if client is None or not client.enabled:
        raise InvalidOrder(f"No client that is enabled has the id {ascii_excerpt(client_id)}.", "client")
    return client


def _person(username: str) -> User:
    person = find_user(username)
    if person is None or person.suspended_at:
        raise InvalidOrder(f"Nobody who may sign in is called {ascii_excerpt(username)}.", "user")
    return person


def _server(client: Client, aud: str | None) -> FhirServer:
    servers: list[FhirServer] = list(client.fhir_servers.all())
    if aud is not None:
        servers = [server for server in servers if server.base == canonical_url(aud)]
    if len(servers) != 1:
        bases = ", ".join(client.fhir_servers.values_list("base", flat=True)) or "none"
        raise InvalidOrder(f"It takes one of the bases {client.client_id} may reach: {bases}", "aud")
    return servers[0]


def _patient(person: User, server: FhirServer, patient: str | None) -> str:
    if patient == NO_PATIENT:
        return NO_PATIENT
    candidates = [found.patient for found in shareable_records(person, server)]
    if patient is None and len(candidates) == 1:
        return str(candidates[0])
    if not candidates:
        who = f"{person.username} is nobody at {server.base} who may act for a patient"
        raise InvalidOrder(f"{who}. A seed file says who they are there: docs/seed-file.md.", "patient")
    if patient is None or patient not in candidates:
        known = ", ".join(candidates)
        raise InvalidOrder(f"It takes one that {person.username} may act for: {known}", "patient")
    return patient
