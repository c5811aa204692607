"""`manage.py token`: an access token without the browser, in development only."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import clock
from accounts.models import User
from audit.trail import Event, record
from oauth import keys
from oauth.grant import Grant
from oauth.issue import issue
from oauth.models import Authorization, Client, FhirServer, numbered
from oauth.people import records
from smart.audience import canonical
from smart.authorization import supported
from smart.scopes import granted
from smart.versions import resource_types


class Command(BaseCommand):
    """The same issuing function as the token endpoint, after the same limits, without login and consent."""

    help = "Prints an access token. Development only: elsewhere a token comes from a login and a consent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--client", required=True, help="client_id, such as demo-public")
        parser.add_argument("--user", required=True, help="user name of the person, such as amy")
        parser.add_argument("--patient", help="FHIR id of the patient; may be left out for who has only one")
        parser.add_argument("--scope", default="launch/patient patient/*.rs", help="default: %(default)s")
        parser.add_argument("--aud", help="the FHIR base; may be left out for a client of only one")
        parser.add_argument("--json", action="store_true", help="print the whole token answer")

    def handle(self, *, client: str, user: str, scope: str, **options: Any) -> None:
        if not settings.SMARTAUTH_DEV:
            raise CommandError("Tokens are given away like this in development only.")
        keys.ensure()
        app, person = _client(client), _person(user)
        server = _server(app, options["aud"])
        patient = _patient(person, server, options["patient"])
        allowed = granted(scope, app.scope, types=resource_types(server.version), supported=supported)
        if not allowed:
            raise CommandError(f"None of these scopes can be granted to {client}. It may ask: {app.scope}")
        answer = _issued(app, person, server, patient, allowed)
        self.stdout.write(json.dumps(answer, indent=2) if options["json"] else answer["access_token"])


@transaction.atomic
def _issued(client: Client, person: User, server: FhirServer, patient: str, scope: str) -> dict[str, Any]:
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
        granted_at=now,
    )
    about = {"client": client.client_id, "person": person.subject, "fhir_server": server.base, "patient": patient}
    record(Event(kind="granted-by-command", at=now, authorization=numbered(authorization.pk), **about))
    return issue(Grant.of(authorization.pk), now=now, address="")


def _client(client_id: str) -> Client:
    client = Client.of(client_id)
    if client is None or not client.enabled:
        raise CommandError(f"No client that is enabled has the id {client_id}.")
    return client


def _person(username: str) -> User:
    person = User.objects.filter(username=username, stopped_at=0).first()
    if person is None:
        raise CommandError(f"Nobody who may sign in is called {username}.")
    return person


def _server(client: Client, aud: str | None) -> FhirServer:
    servers: list[FhirServer] = list(client.fhir_servers.all())
    if aud is not None:
        servers = [server for server in servers if server.base == canonical(aud)]
    if len(servers) != 1:
        raise CommandError(f"Say --aud, one of the bases {client.client_id} may reach: {_bases(client)}")
    return servers[0]


def _bases(client: Client) -> str:
    return ", ".join(client.fhir_servers.values_list("base", flat=True)) or "none"


def _patient(person: User, server: FhirServer, patient: str | None) -> str:
    candidates = [found.patient for found in records(person, server)]
    if patient is None and len(candidates) == 1:
        return candidates[0]
    if patient not in candidates:
        raise CommandError(f"Say --patient, one whom {person.username} may act for: {', '.join(candidates) or 'none'}")
    return patient
