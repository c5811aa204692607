"""FHIR servers: their base is their aud and never changes; access to all of one can be ended at once."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.models import Authorization, FhirServer
from oauth.registration import fhir_servers
from oauth.registration.problems import MAX_NAME_LENGTH
from oauth.workbench.memory.probe_results import last_probe_of
from oauth.workbench.memory.probe_runs import ProbeRun
from operators.admin import confirmation
from operators.admin.fields import Flag, RegistrationForm, Seconds, Text, show_problems
from operators.admin.model_admin import OperatorAdmin, actor
from operators.admin.rendering import count_text, shorten, time_element
from smart.fhir import base_urls
from smart.fhir.audience import canonical_url

NEVER = (
    "Not since this server started. smartauth probe tells its result here; the home page has a button for the "
    "bundled server."
)


class FhirServerForm(RegistrationForm):
    base = Text(label="Base (aud)", longest=base_urls.MAX_LENGTH, help_text="https://host/path")
    name = Text(longest=MAX_NAME_LENGTH, help_text="People read it when they decide.")
    access_token_seconds = Seconds(
        settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS,
        label="Access token lives, seconds",
        help_text="0 = the server's default.",
    )
    claim_mapping = Text(
        label="Own mapping",
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "cols": 70, "spellcheck": "false", "autocapitalize": "off"}),
        help_text='JSON, for the claim profile "own mapping": {"patient_id": {"from": "patient"}}',
    )
    v1_equivalents = Flag(
        label="v1 scopes beside v2's",
        help_text="Introspection names patient/*.read where patient/*.rs was granted.",
    )
    tells_addresses = Flag(label="Its __client_ip is believed", help_text="It reports the addresses of its callers.")

    class Meta:
        model = FhirServer
        fields = (
            "base",
            "name",
            "version",
            "token_format",
            "signing_algorithm",
            "access_token_seconds",
            "address_policy",
            "claim_profile",
            "claim_mapping",
            "v1_equivalents",
        )

    def clean_base(self) -> str:
        return canonical_url(self.cleaned_data["base"])

    def _post_clean(self) -> None:
        super()._post_clean()
        show_problems(self, fhir_servers.problems(self.instance))
        base = self.cleaned_data.get("base")
        if base and FhirServer.of(base):
            self.add_error("base", "This base is protected already.")


@admin.register(FhirServer)
class FhirServerAdmin(OperatorAdmin):
    list_display = ("name", "base", "version", "token_format", "address_policy", "lifetime", "asks")
    list_filter = ("version", "token_format")
    search_fields = ("name", "base")
    ordering = ("name", "pk")
    actions = ("end_access",)
    form = FhirServerForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[FhirServer]:
        return super().get_queryset(request).prefetch_related("resource_servers__client")

    @admin.display(description="access token lives")
    def lifetime(self, row: FhirServer) -> str:
        return f"{row.token_seconds} s"

    @admin.display(description="introspected by")
    def asks(self, row: FhirServer) -> str:
        return shorten(", ".join(role.client.client_id for role in row.resource_servers.all()) or "nobody yet")

    def event_fields(self, row: FhirServer) -> dict[str, str]:
        return {"fhir_server": row.base}

    def actions_for(self, row: FhirServer) -> Sequence[str]:
        return ("end_access",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        tokens = ["token_format", "signing_algorithm", "access_token_seconds", "address_policy"]
        about = ["base", "name", "version", *(self._probe_fields() if obj else ["tells_addresses"])]
        reads = ["claim_profile", "claim_mapping", "v1_equivalents"]
        described = "What its tokens say, from the next one on, beside what the standards have them say."
        return [
            (None, {"fields": about}),
            ("Tokens", {"fields": tokens}),
            ("What this server reads", {"fields": reads, "description": described}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("base", *self._probe_fields()) if obj else ()

    def _probe_fields(self) -> tuple[str, ...]:
        """What the probe found out. Nobody but a development server is told with what result it ran."""
        return ("probed",) if settings.SMARTAUTH_DEV else ()

    @admin.display(description="probed")
    def probed(self, row: FhirServer) -> SafeString | str:
        last = last_probe_of(row.base)
        if last is None:
            return NEVER
        result = (
            f"{last.made} of {last.total} checks so far"
            if isinstance(last, ProbeRun) and last.is_running
            else last.title
        )
        if not last.address:
            return format_html("{}, from a shell: {}", time_element(last.began_at), result)
        return format_html('{}: <a href="{}">{}</a>', time_element(last.began_at), last.address, result)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A new one comes with the client that it introspects with (manage.py fhir-server does the same)."""
        if change:
            super().save_model(request, obj, form, change)
            return
        tells_addresses = bool(form.cleaned_data["tells_addresses"])
        made = fhir_servers.register(obj, actor(request), tells_addresses=tells_addresses)
        obj.pk, obj.registered = made.server.pk, made

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The answer to the POST itself shows the secret; a repeated POST makes nothing, as the base is taken."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "The secret of this FHIR server",
            "client": obj.registered.client,
            "secret": obj.registered.secret,
            "server": obj,
        }
        return TemplateResponse(
            request, "admin/oauth/client/secret.html", context, headers={"Cache-Control": "no-store"}
        )

    @admin.action(description="End all access at these FHIR servers")
    def end_access(self, request: HttpRequest, queryset: QuerySet[FhirServer]) -> HttpResponse | None:
        of = Authorization.objects.filter(fhir_server__in=queryset)
        if not confirmation.is_confirmed(request):
            title = "End all access at these FHIR servers"
            return confirmation.page(
                request,
                self,
                queryset,
                title=f"{title}?",
                button=title,
                ending=confirmation.consequences(of),
                lead="People are asked again when they open an app.",
            )
        ended = access.end_all(queryset, actor(request), EndedFor.FHIR_SERVER_ENDED)
        self.message_user(request, f"Ended {count_text(ended.authorizations, 'authorization')} and their tokens.")
        return None
