"""`/demo`: an app in the browser that shows a launch and what its token can and cannot do. Development only."""

from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from oauth.demo import credentials, quickstart
from oauth.discovery import server_facts
from oauth.models import Client
from smart.fhir.versions import resource_types
from smart.scopes.scope_sets import grantable_scope

CALLBACK = f"{settings.SMARTAUTH_ISSUER}/demo/callback"
VITAL_SIGNS = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"


@dataclass(frozen=True, slots=True)
class ScopeChoice:
    """What the app may ask for, in words."""

    scope: str
    text: str
    at_first: bool = False


SCOPE_CHOICES = (
    ScopeChoice("launch/patient", "Which record it is about", at_first=True),
    ScopeChoice("openid fhirUser", "Who signs in", at_first=True),
    ScopeChoice("patient/Patient.rs", "Name, birth date and contact details", at_first=True),
    ScopeChoice(f"patient/Observation.rs?category={VITAL_SIGNS}", "Vital signs", at_first=True),
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
    clients = [client for client in Client.objects.filter(enabled=1).order_by("pk") if _is_usable(client)]
    allowed = " ".join(client.scope for client in clients)
    context = {
        "step": step,
        "base": settings.SMARTAUTH_FHIR_BASES["r4"],
        "callback": CALLBACK,
        "clients": [(client, _secret(client)) for client in clients],
        "ticks": [tick for tick in SCOPE_CHOICES if _is_askable(tick, allowed)],
        "launcher": _is_served("/launcher"),
        "demo_seed": quickstart.demo_seed(),
    }
    return render(request, "demo.html", context)


def _is_usable(client: Client) -> bool:
    """Comes back to this page and proves itself by something that a page in the browser can hold."""
    known = client.client_id in credentials.CLIENTS and CALLBACK in client.redirect_uris.split()
    return known and client.authentication in server_facts().client_authentication & {"none", "secret"}


def _secret(client: Client) -> str:
    has_secret = client.authentication == Client.Authentication.SECRET
    return credentials.published_secret(client.client_id) if has_secret else ""


def _is_askable(tick: ScopeChoice, allowed: str) -> bool:
    return grantable_scope(tick.scope, allowed, types=resource_types("r4")).split() == tick.scope.split()


def _is_served(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
