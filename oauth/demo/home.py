"""`/`: in development what runs here and how to begin, elsewhere one sentence."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from oauth.demo import credentials, quickstart
from oauth.demo.breakable import breakable
from oauth.demo.checklist import checklist
from oauth.demo.docs_page import has_docs
from oauth.discovery import server_facts
from oauth.models import Client, FhirServer
from oauth.workbench.memory.probe_runs import last_run_of

ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
ROLES = {"Patient": "patient", "RelatedPerson": "parent", "Practitioner": "practitioner"}
NAMED_RECORDS = 3


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Only what exists today is shown: no door leads nowhere."""
    chosen = request.GET.get("server", "")
    return render(request, "home.html", development_context(chosen) if settings.SMARTAUTH_DEV else {})


def development_context(chosen: str = "") -> dict[str, Any]:
    """What runs here, with the values of this instance; the checklist is of the chosen FHIR server."""
    protection, candidates = checklist(chosen)
    servers = list(FhirServer.objects.order_by("pk"))
    people = User.objects.get_queryset().filter(username__in=credentials.PEOPLE).order_by("pk")
    bundled = [server for server in servers if server.base in settings.SMARTAUTH_FHIR_BASES.values()]
    runs = [last_run_of(server.base) for server in bundled]
    return {
        "bundled": bundled,
        "probe_run": max(filter(None, runs), key=lambda run: run.number, default=None),
        "protection": protection,
        "candidates": [(server, _chip(server, candidates)) for server in candidates],
        "has_docs": has_docs(),
        "bases": [breakable(server.base) for server in servers],
        "servers": [(server, _document(server)) for server in servers],
        "tokens": sorted({_tokens(server) for server in servers}),
        "policies": sorted({server.get_address_policy_display() for server in servers}),
        "engine": ENGINES.get(connection.vendor, connection.vendor),
        "commands": quickstart.commands(),
        "password": credentials.PASSWORD,
        "people": [(person, _role(person), _records(person)) for person in people],
        "offered": server_facts().client_authentication,
        "clients": Client.objects.filter(client_id__in=credentials.CLIENTS).prefetch_related("protects").order_by("pk"),
    }


def _chip(server: FhirServer, every: list[FhirServer]) -> str:
    """Its name; beside another one of that name its FHIR version as well, or its address where that is the same too."""
    same = [each for each in every if str(each) == str(server)]
    is_alone = [each.version for each in same].count(server.version) == 1
    if len(same) == 1:
        return str(server)
    return server.name_and_version if is_alone else f"{server}, {server.base}"


def _document(server: FhirServer) -> str:
    """Where its SMART configuration can be read: under the base if that is bundled, else by its name."""
    if server.base in settings.SMARTAUTH_FHIR_BASES.values():
        return f"{server.base}/.well-known/smart-configuration"
    return f"{settings.SMARTAUTH_ISSUER}/o/smart-configuration?{urlencode({'aud': server.base})}"


def _tokens(server: FhirServer) -> str:
    life = server.token_seconds
    kind = f"JWT, {server.signing_algorithm}" if server.token_format == FhirServer.TokenFormat.JWT else "opaque"
    return f"{kind}, {life // 60} minutes" if life % 60 == 0 else f"{kind}, {life} seconds"


def _role(person: User) -> str:
    if person.is_staff:
        return "operator"
    identity = person.identities.first()
    return ROLES.get(identity.resource.partition("/")[0], "person") if identity else "person"


def _records(person: User) -> str:
    """Whose records the user may share: their own, a few names, or how many."""
    identity = person.identities.first()
    records = [acting.record for acting in identity.acts_for.select_related("record")] if identity else []
    if identity and [f"Patient/{record.patient}" for record in records] == [identity.resource]:
        return "own record"
    if len(records) > NAMED_RECORDS:
        return f"{len(records)} patients"
    return ", ".join(str(record) for record in records) or "none"
