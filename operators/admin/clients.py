"""Clients: registered by kind, secrets shown once, access ended by one increment (RG-01 to RG-09, RV-08)."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.safestring import SafeString

from accounts import clock
from oauth.models import Client, ResourceServerRole
from oauth.registration import clients as registration
from operators.admin.client_actions import disable, enable, end_access, rotate
from operators.admin.client_form import ClientForm
from operators.admin.client_kinds import KINDS, KINDS_BY_NAME, Kind, kind_of
from operators.admin.client_pages import keys_page, kinds_page, old_secret_until, pasted_keys, secret_page
from operators.admin.client_usage import last_used, live_tokens
from operators.admin.django_generics import ModelForm, StackedInline
from operators.admin.fields import Flag
from operators.admin.filters import RowFilter, filter_by
from operators.admin.model_admin import OperatorAdmin
from operators.admin.rendering import shorten, tag, time_element

KIND = filter_by("kind", "kind", {kind.name: (kind.title.lower(), kind.clients) for kind in KINDS})
STATE = filter_by(
    "state",
    "state",
    {
        "enabled": ("enabled", lambda found: found.filter(enabled=1)),
        "disabled": ("disabled", lambda found: found.filter(enabled=0)),
        "loose": (
            "allows something loose",
            lambda found: found.filter(Q(allows_missing_state=1) | Q(backend_by_secret=1)),
        ),
    },
)


class ResourceServerForm(ModelForm):
    tells_addresses = Flag(label="its __client_ip is believed")


class ResourceServerInline(StackedInline):
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
    actions = (rotate, end_access, disable, enable)
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
        names = [server.name_and_version for server in row.fhir_servers.all()] + [
            role.fhir_server.name_and_version for role in row.protects.all()
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
        with_secret = ("rotate",) if row.authentication == Client.Authentication.SECRET else ()
        return (*with_secret, "end_access", "disable" if row.enabled else "enable")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """First the kind, then its form."""
        if request.GET.get("kind") not in KINDS_BY_NAME:
            if not self.has_add_permission(request):
                raise PermissionDenied
            return kinds_page(self, request)
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
            "secret_until": old_secret_until(client),
            "keys": pasted_keys(client),
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
        if secret:
            return secret_page(self, request, obj, secret)
        return super().response_add(request, obj, post_url_continue)

    # Keys by URL ----------------------------------------------------------------------------------------------------

    def get_urls(self) -> Any:
        check = self.admin_site.admin_view(self.check_keys)
        return [path("<int:pk>/keys/", check, name="oauth_client_keys"), *super().get_urls()]

    def check_keys(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The button "Fetch and check the keys"."""
        client = self.get_object(request, str(pk))
        if request.method != "POST" or client is None or not self.has_change_permission(request, client):
            raise PermissionDenied
        return keys_page(self, request, client)


def _kind(request: HttpRequest, client: Client | None) -> Kind:
    return kind_of(client) if client is not None else KINDS_BY_NAME[request.GET["kind"]]
