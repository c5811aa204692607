"""Clients: registered by kind, secrets shown once, access ended by one increment (RG-01 to RG-09, RV-08)."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.safestring import SafeString

from accounts import clock
from audit.event_kinds import EventKind
from oauth.clients import jwks_fetch, secrets
from oauth.discovery import server_facts
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Selection
from oauth.models import Authorization, Client, ResourceServerRole
from oauth.registration import clients as registration
from operators.admin import confirmation
from operators.admin.client_form import ClientForm
from operators.admin.client_kinds import KINDS, KINDS_BY_NAME, Kind, kind_of
from operators.admin.client_usage import last_used, live_tokens
from operators.admin.fields import Flag
from operators.admin.filters import RowFilter, filter_by
from operators.admin.model_admin import OperatorAdmin, actor, record_operator_events
from operators.admin.rendering import count_text, shorten, tag, time_element
from smart.clients import jwks

KIND = filter_by("kind", "kind", {kind.name: (kind.title.lower(), kind.clients) for kind in KINDS})
STATE = filter_by("state", "state", {
    "enabled": ("enabled", lambda found: found.filter(enabled=1)),
    "disabled": ("disabled", lambda found: found.filter(enabled=0)),
    "loose": ("allows something loose", lambda found: found.filter(Q(allows_missing_state=1) | Q(backend_by_secret=1))),
})  # fmt: skip


class ResourceServerForm(ModelForm):  # type: ignore[type-arg]
    tells_addresses = Flag(label="its __client_ip is believed")


class ResourceServerInline(admin.StackedInline):  # type: ignore[type-arg]
    """For which FHIR servers a resource server may introspect and revoke."""

    model = ResourceServerRole
    form = ResourceServerForm
    extra = 1
    verbose_name = "FHIR server that it protects"
    verbose_name_plural = "FHIR servers that it protects"


class ClientAdmin(OperatorAdmin):
    list_display = ("client_id", "shown_name", "proves", "servers", "live", "used", "state")
    list_filter = (KIND, ("fhir_servers", RowFilter), STATE)
    search_fields = ("client_id", "name", "redirect_uris")
    search_help_text = "client id, name or redirect URI"
    ordering = ("-pk",)
    actions = ("rotate", "end_access", "disable", "enable")
    form = ClientForm
    also_saved = ("grants", "updated")
    change_form_template = "admin/oauth/client/change_form.html"

    # The list -------------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        return super().get_queryset(request).prefetch_related("fhir_servers", "protects__fhir_server")

    def load_columns(self, rows: list[Client]) -> None:
        live, used = live_tokens(rows, now=clock.now()), last_used(rows)
        for row in rows:
            row.live_tokens, row.last_used = live.get(row.pk, 0), used.get(row.client_id, 0)

    @admin.display(description="name")
    def shown_name(self, row: Client) -> str:
        return shorten(row.name)

    @admin.display(description="proves itself by")
    def proves(self, row: Client) -> str:
        return (
            "secret, asks about tokens" if not row.grants and row.protects.all() else row.get_authentication_display()
        )

    @admin.display(description="FHIR servers")
    def servers(self, row: Client) -> str:
        names = [server.name for server in row.fhir_servers.all()] + [
            role.fhir_server.name for role in row.protects.all()
        ]
        return shorten(", ".join(dict.fromkeys(names)) or "-")

    @admin.display(description="live tokens")
    def live(self, row: Any) -> int:
        return int(row.live_tokens)

    @admin.display(description="last used")
    def used(self, row: Any) -> SafeString | str:
        return time_element(row.last_used) if row.last_used else "never"

    @admin.display(description="state")
    def state(self, row: Client) -> SafeString:
        if not row.enabled:
            return tag("disabled", "bad")
        if row.allows_missing_state:
            return tag("allows missing state", "warn")
        return tag("asks for itself by a secret", "warn") if row.backend_by_secret else tag("enabled", "good")

    # The form -------------------------------------------------------------------------------------------------------

    def event_fields(self, row: Client) -> dict[str, str]:
        return {"client": row.client_id}

    def actions_for(self, row: Client) -> Sequence[str]:
        rotate = ("rotate",) if row.authentication == Client.Authentication.SECRET else ()
        return (*rotate, "end_access", "disable" if row.enabled else "enable")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """First the kind, then its form."""
        if request.GET.get("kind") not in KINDS_BY_NAME:
            if not self.has_add_permission(request):
                raise PermissionDenied
            return self._page(
                request, "kinds", title="Add a client", kinds=KINDS, offered=server_facts().client_authentication
            )
        return super().add_view(request, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made = super().get_form(request, obj, change, **kwargs)
        made.kind = _kind(request, obj)  # type: ignore[attr-defined]  # the class was made for this request
        return made

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return _kind(request, obj).fieldsets()

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return [ResourceServerInline] if _kind(request, obj).name == "resource-server" else []

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> TemplateResponse:
        client = context.get("original")
        context |= {
            "kind": _kind(request, client),
            "secret_until": _old_secret_until(client),
            "keys": _pasted_keys(client),
        }
        response = super().render_change_form(request, context, *args, **kwargs)
        if not client:
            context["title"] = f"Add a client: {context['kind'].title.lower()}"
        return response

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        client: Client = form.instance
        found = registration.warnings(client, list(client.fhir_servers.all()), list(client.protects.all()))
        for sentence in (one for every in found.values() for one in every):
            self.message_user(request, f"{sentence[0].upper()}{sentence[1:]}", messages.WARNING)

    def response_add(self, request: HttpRequest, obj: Client, post_url_continue: str | None = None) -> HttpResponse:
        secret = getattr(obj, "drawn_secret", "")
        return (
            self._secret_page(request, obj, secret) if secret else super().response_add(request, obj, post_url_continue)
        )

    def _secret_page(self, request: HttpRequest, client: Client, secret: str) -> TemplateResponse:
        """The answer to the POST itself: the secret travels in no message, no session, no address."""
        about = {"client": client, "secret": secret, "until": _old_secret_until(client)}
        response = self._page(request, "secret", title="The secret of this client", **about)
        response["Cache-Control"] = "no-store"
        return response

    def _page(self, request: HttpRequest, name: str, **context: object) -> TemplateResponse:
        known = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, f"admin/oauth/client/{name}.html", {**known, **context})

    # What ends ------------------------------------------------------------------------------------------------------

    @admin.action(description="Rotate the secret")
    def rotate(self, request: HttpRequest, queryset: QuerySet[Client]) -> HttpResponse | None:
        client = queryset.first()
        if client is None or queryset.count() > 1 or client.authentication != Client.Authentication.SECRET:
            self.message_user(request, "Choose one client that has a secret: each is shown once.", messages.ERROR)
            return None
        if not confirmation.is_confirmed(request):
            hours = settings.SMARTAUTH_OLD_SECRET_SECONDS // 3600
            ending = [
                f"The old secret works for {count_text(hours, 'more hour', 'more hours')}, a still older one no longer"
            ]
            return confirmation.page(
                request, self, [client], title="Rotate the secret?", button="Rotate the secret", ending=ending,
                lead="A new secret is drawn and shown once.", number=secrets.rotation_number(client),
            )  # fmt: skip
        with transaction.atomic():
            secret = secrets.rotate(client, request.POST.get("number", ""), now=clock.now())
            if secret:
                record_operator_events(request, EventKind.SECRET_ROTATED, self.event_fields(client))
        if secret:
            return self._secret_page(request, client, secret)
        self.message_user(
            request, "Nothing was rotated: this form was used before. A secret is shown once.", messages.WARNING
        )
        return redirect("admin:oauth_client_change", client.pk)

    @admin.action(description="End all access of these clients")
    def end_access(self, request: HttpRequest, queryset: QuerySet[Client]) -> HttpResponse | None:
        if not confirmation.is_confirmed(request):
            return self._confirmation(
                request, queryset, "End all access of these clients", "They may ask people again at once."
            )
        self._end(request, queryset, EndedFor.CLIENT_ENDED, "Ended all access of {}.")
        return None

    @admin.action(description="Disable these clients and end all their access")
    def disable(self, request: HttpRequest, queryset: QuerySet[Client]) -> HttpResponse | None:
        if not confirmation.is_confirmed(request):
            lead = "They are refused at every endpoint until they are enabled."
            return self._confirmation(request, queryset, "Disable these clients and end all their access", lead)
        self._end(request, queryset, EndedFor.CLIENT_DISABLED, "Disabled {}.")
        return None

    @admin.action(description="Enable these clients")
    def enable(self, request: HttpRequest, queryset: QuerySet[Client]) -> HttpResponse | None:
        if not confirmation.is_confirmed(request):
            ending = ["Nothing. What ended stays ended; people are asked again."]
            title = "Enable these clients"
            return confirmation.page(request, self, queryset, title=f"{title}?", button=title, ending=ending)
        with transaction.atomic():
            clients = list(queryset.filter(enabled=0))
            Client.objects.filter(pk__in=[client.pk for client in clients]).enable()
            record_operator_events(request, EventKind.CLIENT_ENABLED, *map(self.event_fields, clients))
        self.message_user(request, f"Enabled {count_text(len(clients), 'client')}.")
        return None

    def _confirmation(
        self, request: HttpRequest, queryset: QuerySet[Client], button: str, lead: str
    ) -> TemplateResponse:
        of = Authorization.objects.filter(client__in=queryset)
        return confirmation.page(
            request, self, queryset, title=f"{button}?", button=button, ending=confirmation.consequences(of), lead=lead
        )

    def _end(self, request: HttpRequest, queryset: QuerySet[Client], reason: EndedFor, said: str) -> None:
        clients = list(queryset)
        access.end_all(clients, actor(request), reason)
        self.message_user(request, said.format(count_text(len(clients), "client")))

    # Keys by URL ----------------------------------------------------------------------------------------------------

    def get_urls(self) -> Any:
        check = self.admin_site.admin_view(self.check_keys)
        return [path("<int:pk>/keys/", check, name="oauth_client_keys"), *super().get_urls()]

    def check_keys(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Fetches the keys behind the client's JWKS URL and says what is wrong with them. Keeps nothing."""
        client = self.get_object(request, str(pk))
        if request.method != "POST" or client is None or not self.has_change_permission(request, client):
            raise PermissionDenied
        keys, problems = _keys_behind(client.jwks_uri)
        return self._page(request, "keys", title="Keys of this client", client=client, keys=keys, problems=problems)


def _kind(request: HttpRequest, client: Client | None) -> Kind:
    return kind_of(client) if client is not None else KINDS_BY_NAME[request.GET["kind"]]


def _old_secret_until(client: Client | None) -> SafeString | str:
    """Until when an old secret works too, "" if none does."""
    if client is None or client.old_secret_until <= clock.now():
        return ""
    return time_element(client.old_secret_until)


def _keys_behind(url: str) -> tuple[Sequence[jwks.PublicKey], Sequence[str]]:
    """The keys, or what is wrong with them."""
    try:
        return jwks_fetch.fetch_public_keys(url), ()
    except jwks_fetch.Unfetchable as error:
        return (), [f"{error}."]
    except jwks.InvalidKeys as error:
        return (), error.problems


def _pasted_keys(client: Client | None) -> Sequence[jwks.PublicKey]:
    try:
        return jwks.read_registered(client.jwks) if client is not None and client.jwks else ()
    except jwks.InvalidKeys:
        return ()
