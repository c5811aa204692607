"""What operators do with clients, after a page that asks once more: rotate a secret, end access, disable, enable."""

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from oauth.clients import secrets
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.models import Authorization, Client
from oauth.registration import client_changes
from operators.admin import confirmation
from operators.admin.client_pages import secret_page
from operators.admin.model_admin import OperatorAdmin, actor
from operators.admin.rendering import count_text
from smart.time_units import more_time


@admin.action(description="Rotate the secret")
def rotate(model_admin: OperatorAdmin, request: HttpRequest, queryset: QuerySet[Client]) -> HttpResponse | None:
    client = queryset.first()
    if client is None or queryset.count() > 1 or client.authentication != Client.Authentication.SECRET:
        model_admin.message_user(request, "Choose one client that has a secret: each is shown once.", messages.ERROR)
        return None
    if not confirmation.is_confirmed(request):
        return _rotation_confirmation(model_admin, request, client)
    if secret := client_changes.rotate_secret(client, request.POST.get("number", ""), actor(request)):
        return secret_page(model_admin, request, client, secret)
    model_admin.message_user(
        request, "Nothing was rotated: this form was used before. A secret is shown once.", messages.WARNING
    )
    return redirect("admin:oauth_client_change", client.pk)


@admin.action(description="End all access of these clients")
def end_access(model_admin: OperatorAdmin, request: HttpRequest, queryset: QuerySet[Client]) -> HttpResponse | None:
    if not confirmation.is_confirmed(request):
        lead = "They may ask people again at once."
        return _confirmation(model_admin, request, queryset, "End all access of these clients", lead)
    _end(model_admin, request, queryset, EndedFor.CLIENT_ENDED, "Ended all access of {}.")
    return None


@admin.action(description="Disable these clients and end all their access")
def disable(model_admin: OperatorAdmin, request: HttpRequest, queryset: QuerySet[Client]) -> HttpResponse | None:
    if not confirmation.is_confirmed(request):
        lead = "They are refused at every endpoint until they are enabled."
        return _confirmation(model_admin, request, queryset, "Disable these clients and end all their access", lead)
    _end(model_admin, request, queryset, EndedFor.CLIENT_DISABLED, "Disabled {}.")
    return None


@admin.action(description="Enable these clients")
def enable(model_admin: OperatorAdmin, request: HttpRequest, queryset: QuerySet[Client]) -> HttpResponse | None:
    if not confirmation.is_confirmed(request):
        ending = ["Nothing. What ended stays ended; people are asked again."]
        title = "Enable these clients"
        return confirmation.page(request, model_admin, queryset, title=f"{title}?", button=title, ending=ending)
    clients = client_changes.enable(queryset, actor(request))
    model_admin.message_user(request, f"Enabled {count_text(len(clients), 'client')}.")
    return None


def _rotation_confirmation(model_admin: OperatorAdmin, request: HttpRequest, client: Client) -> TemplateResponse:
    left = more_time(settings.SMARTAUTH_OLD_SECRET_SECONDS)
    ending = f"The old secret works for {left}, a still older one no longer"
    return confirmation.page(
        request,
        model_admin,
        [client],
        title="Rotate the secret?",
        button="Rotate the secret",
        ending=[ending],
        lead="A new secret is drawn and shown once.",
        number=secrets.rotation_number(client),
    )


def _confirmation(
    model_admin: OperatorAdmin, request: HttpRequest, queryset: QuerySet[Client], button: str, lead: str
) -> TemplateResponse:
    of = Authorization.objects.filter(client__in=queryset)
    ending = confirmation.consequences(of)
    return confirmation.page(
        request, model_admin, queryset, title=f"{button}?", button=button, ending=ending, lead=lead
    )


def _end(
    model_admin: OperatorAdmin, request: HttpRequest, queryset: QuerySet[Client], reason: EndedFor, said: str
) -> None:
    clients = list(queryset)
    access.end_all(clients, actor(request), reason)
    model_admin.message_user(request, said.format(count_text(len(clients), "client")))
