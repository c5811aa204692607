"""`/demo`: an app in the browser that shows a launch and what its token can and cannot do. Development only.

It knows every base of the bundled FHIR server: one of each version.
"""

from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from oauth.demo import credentials, quickstart
from oauth.demo.breakable import breakable
from oauth.discovery import server_facts
from oauth.models import Client, FhirServer
from oauth.workbench.orders.own_servers import bundled_servers
from smart.fhir.audience import is_same_audience
from smart.fhir.versions import resource_types
from smart.scopes.categories import categories, code_of
from smart.scopes.scope_sets import grantable_scope

CALLBACK = f"{settings.SMARTAUTH_ISSUER}/demo/callback"
PRESCRIPTIONS = ("MedicationRequest", "MedicationOrder")  # as the versions call them


@dataclass(frozen=True, slots=True)
class ScopeChoice:
    """What the app may ask for, in words."""

    scope: str
    text: str
    at_first: bool = False


@dataclass(frozen=True, slots=True)
class Base:
    """A FHIR base that the app may be launched at."""

    server: FhirServer
    is_chosen: bool

    @property
    def prescriptions(self) -> str:
        """The type of prescriptions in its version, "" for none."""
        return next((name for name in PRESCRIPTIONS if name in resource_types(self.server.version)), "")


def scope_choices(version: str) -> tuple[ScopeChoice, ...]:
    """In the codes of that FHIR version."""
    vital_signs = next((each for each in categories(version, "Observation") if code_of(each) == "vital-signs"), "")
    return (
        ScopeChoice("launch/patient", "Which record it is about", at_first=True),
        ScopeChoice("openid fhirUser", "Who signs in", at_first=True),
        ScopeChoice("patient/Patient.rs", "Name, birth date and contact details", at_first=True),
        ScopeChoice(f"patient/Observation.rs?category={vital_signs}", "Vital signs", at_first=True),
        ScopeChoice("patient/Observation.rs", "All test results and measurements"),
        ScopeChoice("patient/Condition.rs", "Health problems and diagnoses"),
        ScopeChoice("patient/*.rs", "Everything in the record"),
        ScopeChoice("offline_access", "Access while you are away"),
    )


def start(request: HttpRequest) -> HttpResponse:
    """Where the person starts: which client, which scopes."""
    return _page(request, "start")


def launch(request: HttpRequest) -> HttpResponse:
    """Where an EHR starts the app, with `iss` and `launch` (SMART App Launch, EHR launch)."""
    return _page(request, "launch")


def callback(request: HttpRequest) -> HttpResponse:
    """The redirect URI of the demo clients: the token and what it is good for."""
    return _page(request, "callback")


@require_safe
@never_cache
def _page(request: HttpRequest, step: str) -> HttpResponse:
    if not settings.SMARTAUTH_DEV:
        raise Http404
    rows = Client.objects.filter(enabled=1).prefetch_related("fhir_servers").order_by("pk")
    usable = [client for client in rows if _is_usable(client)]
    servers = [each for each in bundled_servers() if any(each in client.fhir_servers.all() for client in usable)]
    server = _chosen(request, servers)
    clients = [client for client in usable if server in client.fhir_servers.all()]
    version, allowed = server.version if server else "r4", " ".join(client.scope for client in clients)
    base = server.base if server else settings.SMARTAUTH_FHIR_BASES["r4"]
    context = {
        "step": step,
        "base": base,
        "shown": {"base": breakable(base), "callback": breakable(CALLBACK)},
        "bases": [Base(each, each == server) for each in servers],
        "callback": CALLBACK,
        "clients": [(client, _secret(client)) for client in clients],
        "ticks": [tick for tick in scope_choices(version) if _is_askable(tick, allowed, version)],
        "launcher": _is_served("/launcher"),
        "demo_seed": quickstart.demo_seed(),
    }
    return render(request, "demo.html", context)


def _chosen(request: HttpRequest, servers: list[FhirServer]) -> FhirServer | None:
    """The one of that version, or that an EHR launches it for; else the first."""
    version, iss = request.GET.get("version", ""), request.GET.get("iss", "")
    named = (each for each in servers if each.version == version or is_same_audience(each.base, iss))
    return next(named, next(iter(servers), None))


def _is_usable(client: Client) -> bool:
    """Comes back to this page and proves itself by something that a page in the browser can hold."""
    known = client.client_id in credentials.CLIENTS and CALLBACK in client.redirect_uris.split()
    return known and client.authentication in server_facts().client_authentication & {"none", "secret"}


def _secret(client: Client) -> str:
    has_secret = client.authentication == Client.Authentication.SECRET
    return credentials.published_secret(client.client_id) if has_secret else ""


def _is_askable(tick: ScopeChoice, allowed: str, version: str) -> bool:
    return grantable_scope(tick.scope, allowed, types=resource_types(version)).split() == tick.scope.split()


def _is_served(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
