"""The form of a client: what a person types, checked by the rules that hold when it is used (RG-01 to RG-09)."""

import json
import secrets
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from accounts import clock
from oauth.clients.jwks_fetch import jwks_uri_problem as unfit_address
from oauth.clients.secrets import assign_secret
from oauth.models import Client, FhirServer
from operators.admin.client_kinds import Kind
from operators.admin.fields import Flag, Lines, Seconds, plain_text
from smart.clients import jwks
from smart.clients.redirect_uris import redirect_uri_problem
from smart.fhir import id as fhir_id
from smart.openid import standard_claims
from smart.scopes import scope_sets
from smart.scopes.scope import Scope

SALT = "a client that is about to be made"
FOR_WORKERS = (
    "How many live at once at one FHIR server: each new token ends the oldest. "
    "Raise it to the number of workers that ask for tokens in parallel."
)


class ClientForm(forms.ModelForm):  # type: ignore[type-arg]
    """One form for all kinds; `kind` says which fields of it are asked."""

    kind: ClassVar[Kind]

    name = forms.CharField(max_length=200, validators=[plain_text], help_text="People read it when they decide.")
    maker = forms.CharField(max_length=200, required=False, validators=[plain_text], help_text="Who makes it.")
    redirect_uris = Lines(label="Redirect URIs", help_text="One on each line, complete, as the app sends them.")
    launch_url = forms.CharField(
        label="Launch URL", required=False, max_length=2000, help_text="Where an EHR opens it; empty if none does."
    )
    post_logout_redirect_uris = Lines(
        label="After signing out", help_text="Where the app may lead people who sign out for it, one on each line."
    )
    allowed_origins = Lines(help_text="Browser origins beside those of the URIs above, one on each line.")
    scope = Lines(label="Scopes it may ask", help_text="One on each line, such as patient/Observation.rs.")
    fhir_servers = forms.ModelMultipleChoiceField(
        FhirServer.objects.order_by("name", "pk"), required=False, widget=forms.CheckboxSelectMultiple,
        label="FHIR servers it may reach",
    )  # fmt: skip
    may_stay = Flag(label="May stay connected", help_text="May get refresh tokens when a person allows it.")
    jwks = forms.CharField(
        label="Keys, pasted", required=False, max_length=jwks.MAX_LENGTH, strip=True, help_text="A JWK set.",
        widget=forms.Textarea(attrs={"rows": 8, "cols": 70, "spellcheck": "false"}),
    )  # fmt: skip
    jwks_uri = forms.CharField(label="Keys, by address", required=False, max_length=2000, help_text="https only.")
    access_token_seconds = Seconds(label="Access token lives, seconds", help_text="0 = as the FHIR server says.")
    refresh_token_seconds = Seconds(
        label="Stays connected, seconds",
        help_text="From the launch on; 0 = the server's default.",
        max_value=315_360_000,
    )
    tokens_to_keep = forms.IntegerField(
        initial=1, min_value=1, max_value=1000, help_text="How many live at once; 1 is safest."
    )
    profile = forms.ChoiceField(
        choices=Client.Profile.choices, required=False, help_text="What it speaks; SMART unless you choose otherwise."
    )
    refuses_unknown_scopes = Flag(help_text="Stricter: a request with a scope that we do not know is refused.")
    fhir_context_as_text = Flag(label="fhirContext as texts", help_text="For apps that know SMART 2.0 only.")
    allows_missing_state = Flag(
        label="Allows requests without state", help_text="Loose: only for an app that cannot send state."
    )
    backend_patient = forms.CharField(
        label="Bound to the patient", required=False, max_length=64,
        validators=[RegexValidator(rf"\A{fhir_id.PATTERN}\Z")],
        help_text="The FHIR id of the one patient that its patient/ scopes are about; empty for a service of many.",
    )  # fmt: skip
    backend_by_secret = Flag(
        label="Allows client_credentials with a secret", help_text="Loose: without it this client gets no token."
    )
    number = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Client
        fields = (
            "name", "maker", "redirect_uris", "application_type", "launch_url", "post_logout_redirect_uris",
            "allowed_origins", "fhir_servers",
            "scope", "jwks", "jwks_uri", "access_token_seconds", "refresh_token_seconds",
            "supersede", "tokens_to_keep", "address_policy",
            "profile", "refuses_unknown_scopes", "fhir_context_as_text", "allows_missing_state",
            "backend_patient", "backend_by_secret",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = self.kind.fields() | {"number"}
        for name in set(self.fields) - asked:
            del self.fields[name]
        if "may_stay" in self.fields:
            self.initial["may_stay"] = "refresh_token" in self.instance.grants.split()
        if self.kind.is_service:
            self.fields["tokens_to_keep"].help_text = FOR_WORKERS
        if self.instance.pk is None:
            self.initial["backend_by_secret"] = "backend_by_secret" in asked  # who chose that kind has chosen it
            self.initial["number"] = signing.dumps(f"app-{secrets.token_hex(8)}", salt=SALT)
        else:
            del self.fields["number"]

    def clean_redirect_uris(self) -> str:
        uris: str = self.cleaned_data["redirect_uris"]
        if not uris:
            raise ValidationError("An app needs at least one.")
        return self._all_registrable(uris)

    def clean_launch_url(self) -> str:
        return self._all_registrable(self.cleaned_data["launch_url"])

    def clean_post_logout_redirect_uris(self) -> str:
        return self._all_registrable(self.cleaned_data["post_logout_redirect_uris"])

    def _all_registrable(self, uris: str) -> str:
        """RG-01, RG-02: each one complete and fit for this type of application."""
        native = self.data.get("application_type") == Client.ApplicationType.NATIVE
        problems = ((uri, redirect_uri_problem(uri, native, dev=settings.SMARTAUTH_DEV)) for uri in uris.split())
        if errors := [f"{uri}: {problem}." for uri, problem in problems if problem]:
            raise ValidationError(errors)
        return uris

    def clean_allowed_origins(self) -> str:
        origins: str = self.cleaned_data["allowed_origins"]
        if wrong := [origin for origin in origins.split() if unfit_origin(origin)]:
            raise ValidationError([f"{origin}: must be https://host, without a path." for origin in wrong])
        return origins

    def clean_scope(self) -> str:
        asked: str = self.cleaned_data["scope"]
        if errors := [problem for scope in scope_sets.parse_scopes(asked) if (problem := self._unfit_scope(scope))]:
            raise ValidationError(errors)
        return asked

    def _unfit_scope(self, scope: Scope) -> str:
        if not scope_sets.has_legal_characters(scope.name) or not scope_sets.is_known(scope):
            return f"{scope.name}: we know no such scope."
        if self.kind.is_app and not scope_sets.is_for_people(scope):
            return f"{scope.name}: only a backend service may have it."
        if not self.kind.is_app and not scope_sets.is_for_backend(scope):
            return f"{scope.name}: only an app that people use may have it."
        if self.kind.is_service and scope.context == "user":
            return f"{scope.name}: a backend service has no user."
        return ""

    def clean_jwks(self) -> str:
        pasted: str = self.cleaned_data["jwks"]
        if not pasted:
            return ""
        try:
            jwks.read_registered(pasted)
        except jwks.InvalidKeys as error:
            raise ValidationError(error.problems) from None
        return json.dumps(json.loads(pasted), sort_keys=True)

    def clean_jwks_uri(self) -> str:
        address: str = self.cleaned_data["jwks_uri"]
        if address and (problem := unfit_address(address)):
            raise ValidationError(f"{problem}.")
        return address

    def clean_access_token_seconds(self) -> int:
        seconds: int = self.cleaned_data["access_token_seconds"]
        if seconds > settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS:
            raise ValidationError(f"At most {settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS}.")
        return seconds

    def clean_number(self) -> str:
        """The client_id that we drew for this form (RG-07): who sends the form twice makes one client."""
        try:
            client_id = str(signing.loads(self.cleaned_data["number"], salt=SALT))
        except signing.BadSignature:
            raise ValidationError("This form is not one of ours. Open it again.") from None
        if Client.of(client_id):
            raise ValidationError("This client has been made already; its secret was shown once.")
        return client_id

    def clean_profile(self) -> str:
        return self.cleaned_data["profile"] or str(Client.Profile.SMART)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if {"jwks", "jwks_uri"} <= cleaned.keys() and bool(cleaned["jwks"]) == bool(cleaned["jwks_uri"]):
            raise ValidationError("Give the keys either pasted or by address (RG-03).")
        plain = cleaned.get("profile") == Client.Profile.OPENID
        if plain and (never := standard_claims.scopes_beyond_openid(cleaned.get("scope", ""))):
            self.add_error("scope", [f"{name}: never granted to plain OpenID Connect." for name in never])
        if self.kind.is_service and cleaned.get("backend_patient") == "":
            about_one = [
                scope.name for scope in scope_sets.parse_scopes(cleaned.get("scope", "")) if scope.context == "patient"
            ]
            if about_one:  # an empty list would count as an error
                self.add_error("backend_patient", [f"{name}: which patient is it about?" for name in about_one])
        return cleaned

    def save(self, commit: bool = True) -> Any:
        client = self.instance
        if client.pk is None:
            self._begin(client)
        if "may_stay" in self.cleaned_data:
            others = [name for name in client.grants.split() if name != "refresh_token"]
            client.grants = " ".join([*others, *(["refresh_token"] if self.cleaned_data["may_stay"] else [])])
        return super().save(commit)

    def _begin(self, client: Client) -> None:
        """What a new client gets from us rather than from the person who types."""
        client.client_id = self.cleaned_data["number"]
        client.authentication, client.grants = self.kind.authentication, self.kind.grants
        client.registered_at = clock.now()
        if self.kind.has_secret:
            client.drawn_secret = assign_secret(client)  # shown in the answer, kept nowhere


def unfit_origin(origin: str) -> bool:
    """Whether this is more or less than a scheme and a host."""
    scheme, _, rest = origin.partition("://")
    return bool(redirect_uri_problem(origin, native=False, dev=settings.SMARTAUTH_DEV)) or not scheme or "/" in rest
