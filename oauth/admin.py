"""The operators' view. DOT registers its swapped models with the classes that settings name."""

from django.contrib import admin
from django.http import HttpRequest

from oauth.models import Authorization, Client, FhirServer


class Hidden(admin.ModelAdmin):  # type: ignore[type-arg]
    """A model that nobody looks at."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that are looked at, never edited: things end, they do not vanish."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class ClientAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("client_id", "name", "authentication", "enabled")
    search_fields = ("client_id", "name", "redirect_uris")
    fields = (
        "client_id", "name", "maker", "authentication", "application_type", "grants", "scope", "redirect_uris",
        "fhir_servers", "supersede", "tokens_to_keep", "address_policy", "access_token_seconds",
        "allows_missing_state", "refuses_unknown_scopes",
    )  # fmt: skip
    readonly_fields = ("client_id",)

    def has_delete_permission(self, request: HttpRequest, obj: Client | None = None) -> bool:
        return False


class AccessTokenAdmin(ReadOnly):
    list_display = ("__str__", "authorization", "scope")
    exclude = ("digest", "signed_digest", "signature_digest", "jti", "claims")


@admin.register(FhirServer)
class FhirServerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "base", "version", "token_format", "address_policy")


@admin.register(Authorization)
class AuthorizationAdmin(ReadOnly):
    list_display = ("__str__", "user", "client", "patient", "fhir_server", "ended_for")
    list_select_related = ("user", "client", "fhir_server")
