"""`manage.py token`: an access token without the browser, in development only."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import clock
from accounts.models import User
from accounts.usernames import find_user
from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.keys import signing_keys
from oauth.models import AccessToken, Authorization, Client, FhirServer, public_reference
from oauth.people.identities import shareable_records
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.client_credentials import issue_for_client
from oauth.tokens.issue import issue
from smart.authorize.unvalidated_request import is_supported
from smart.digests import sha256_hex
from smart.fhir.audience import canonical_url
from smart.fhir.versions import resource_types
from smart.http.errors import OAuthError
from smart.http.parameters import Parameters
from smart.scopes.scope_sets import grantable_scope
from smart.tokens import client_credentials

SCOPE = "launch/patient patient/*.rs"


class Command(BaseCommand):
    """The same issuing function as the token endpoint, after the same limits, without login and consent."""

    help = "Prints an access token. Development only: elsewhere a token comes from a login and a consent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--client", required=True, help="client_id, such as demo-public")
        parser.add_argument("--user", help="user name of the person, such as amy; left out for a backend service")
        parser.add_argument("--patient", help="FHIR id of the patient; may be left out for who has only one")
        parser.add_argument("--scope", help=f"default: {SCOPE}; for a backend service all that it may ask")
        parser.add_argument("--aud", help="the FHIR base; may be left out for a client of only one")
        parser.add_argument("--json", action="store_true", help="print the whole token answer")

    def handle(self, *, client: str, user: str | None, scope: str | None, **options: Any) -> None:
        if not settings.SMARTAUTH_DEV:
            raise CommandError("Tokens are given away like this in development only.")
        signing_keys.ensure_keys()
        app = _client(client)
        if user is None:
            answer = _backend_token(app, scope or app.scope, options["aud"])
        else:
            answer = _user_token(app, _person(user), scope or SCOPE, options["aud"], options["patient"])
        self.stdout.write(json.dumps(answer, indent=2) if options["json"] else answer["access_token"])


@transaction.atomic
def _backend_token(client: Client, scope: str, aud: str | None) -> dict[str, Any]:
    """What the token endpoint would give a backend service that has proved itself."""
    if client_credentials.GRANT not in client.grants.split():
        raise CommandError(f"Say --user: {client.client_id} asks for people, not for itself.")
    now = clock.now()
    try:
        answer = issue_for_client(client.pk, Parameters([("scope", scope), ("aud", aud or "")]), now=now, address="")
    except OAuthError as error:
        raise CommandError(f"{error.code}: {error.description}. It may ask: {client.scope}") from None
    token = AccessToken.objects.select_related("authorization__fhir_server").get(
        digest=sha256_hex(answer["access_token"])
    )
    about = {"client": client.client_id, "fhir_server": token.authorization.fhir_server.base}
    record_events(Event(kind=EventKind.GRANTED_BY_COMMAND, at=now, authorization=str(token.authorization), **about))
    return answer


def _user_token(client: Client, person: User, scope: str, aud: str | None, patient: str | None) -> dict[str, Any]:
    """What a launch by that person would give."""
    server = _server(client, aud)
    patient = _patient(person, server, patient)
    allowed = grantable_scope(scope, client.scope, types=resource_types(server.version), supported=is_supported)
    if not allowed:
        raise CommandError(f"None of these scopes can be granted to {client.client_id}. It may ask: {client.scope}")
    return _issue_token(client, person, server, patient, allowed)


@transaction.atomic
def _issue_token(client: Client, person: User, server: FhirServer, patient: str, scope: str) -> dict[str, Any]:
    now = clock.now()
    authorization = Authorization.objects.create(
        client=client,
        user=person,
        fhir_server=server,
        patient=patient,
        scope=scope,
        context=json.dumps({"patient": patient}),
        client_epoch=client.epoch,
        user_epoch=person.epoch,
        fhir_server_epoch=server.epoch,
        granted_at=now,
    )
    about = {"client": client.client_id, "person": person.subject, "fhir_server": server.base, "patient": patient}
    record_events(
        Event(kind=EventKind.GRANTED_BY_COMMAND, at=now, authorization=public_reference(authorization.pk), **about)
    )
    return issue(AuthorizationState.of(authorization.pk), now=now, address="")


def _client(client_id: str) -> Client:
    client = Client.of(client_id)
    if client is None or not client.enabled:
        raise CommandError(f"No client that is enabled has the id {ascii(client_id)[1:-1]}.")
    return client


def _person(username: str) -> User:
    person = find_user(username)
    if person is None or person.suspended_at:
        raise CommandError(f"Nobody who may sign in is called {ascii(username)[1:-1]}.")
    return person


def _server(client: Client, aud: str | None) -> FhirServer:
    servers: list[FhirServer] = list(client.fhir_servers.all())
    if aud is not None:
        servers = [server for server in servers if server.base == canonical_url(aud)]
    if len(servers) != 1:
        raise CommandError(f"Say --aud, one of the bases {client.client_id} may reach: {_bases(client)}")
    return servers[0]


def _bases(client: Client) -> str:
    return ", ".join(client.fhir_servers.values_list("base", flat=True)) or "none"


def _patient(person: User, server: FhirServer, patient: str | None) -> str:
    candidates = [found.patient for found in shareable_records(person, server)]
    if patient is None and len(candidates) == 1:
        return candidates[0]
    if patient not in candidates:
        raise CommandError(f"Say --patient, one that {person.username} may act for: {', '.join(candidates) or 'none'}")
    return patient
