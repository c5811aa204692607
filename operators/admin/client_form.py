"""The form of a client: what a person types, checked by the rules that hold when it is used (RG-01 to RG-09)."""

import secrets
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError

from accounts import clock
from oauth.clients.secrets import assign_secret
from oauth.models import Client, FhirServer
from oauth.registration import clients
from oauth.registration.client_fields import MAX_REFRESH_TOKEN_SECONDS, MAX_TOKENS_TO_KEEP
from oauth.registration.problems import MAX_NAME_LENGTH
from operators.admin.client_kinds import Kind
from operators.admin.fields import Flag, Lines, Number, RegistrationForm, Rows, Seconds, Text, Words, show_problems

SALT = "a client that is about to be made"
FOR_WORKERS = (
    "How many live at once at one FHIR server: each new token ends the oldest. "
    "Raise it to the number of workers that ask for tokens in parallel."
)


class ClientForm(RegistrationForm):
    """One form for all kinds; `kind` says which fields of it are asked."""

    kind: ClassVar[Kind]

    name = Text(longest=MAX_NAME_LENGTH, help_text="People read it when they decide.")
    maker = Text(longest=MAX_NAME_LENGTH, required=False, help_text="Who makes it.")
    redirect_uris = Lines(label="Redirect URIs", help_text="One on each line, complete, as the app sends them.")
    launch_urls = Lines(
        label="Launch URLs",
        help_text="Where an EHR opens it, one on each line; the first where it names none. Empty if no EHR opens it.",
    )
    post_logout_redirect_uris = Lines(
        label="After signing out", help_text="Where the app may lead people who sign out for it, one on each line."
    )
    allowed_origins = Lines(help_text="Browser origins beside those of the URIs above, one on each line.")
    scope = Words(label="Scopes it may ask", help_text="One on each line, such as patient/Observation.rs.")
    fhir_servers = Rows(
        FhirServer.objects.order_by("name", "pk"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="FHIR servers it may reach",
    )
    may_stay = Flag(label="May stay connected", help_text="May get refresh tokens when a person allows it.")
    jwks = Text(
        label="Keys, pasted",
        required=False,
        strip=True,
        help_text="A JWK set.",
        widget=forms.Textarea(attrs={"rows": 8, "cols": 70, "spellcheck": "false"}),
    )
    jwks_uri = Text(label="Keys, by URL", required=False, help_text="https only.")
    access_token_seconds = Seconds(
        settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS,
        label="Access token lives, seconds",
        help_text="0 = as the FHIR server says.",
    )
    refresh_token_seconds = Seconds(
        MAX_REFRESH_TOKEN_SECONDS,
        label="Stays connected, seconds",
        help_text="From the launch on; 0 = the server's default.",
    )
    tokens_to_keep = Number(1, MAX_TOKENS_TO_KEEP, initial=1, help_text="How many live at once; 1 is safest.")
    profile = forms.ChoiceField(
        choices=Client.Profile.choices, required=False, help_text="What it speaks; SMART unless you choose otherwise."
    )
    refuses_unknown_scopes = Flag(help_text="Stricter: a request with a scope that we do not know is refused.")
    always_asks_consent = Flag(
        label="Always asks for consent",
        help_text="Stricter: the consent page comes at every launch, also for what was allowed before.",
    )
    fhir_context_as_text = Flag(label="fhirContext as texts", help_text="For apps that know SMART 2.0 only.")
    allows_missing_state = Flag(
        label="Allows requests without state", help_text="Loose: only for an app that cannot send state."
    )
    backend_patient = Text(
        label="Bound to the patient",
        required=False,
        help_text="The FHIR id of the one patient that its patient/ scopes are about; empty for a service of many.",
    )
    backend_by_secret = Flag(
        label="Allows client_credentials with a secret", help_text="Loose: without it this client gets no token."
    )
    number = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Client
        fields = (
            "name",
            "maker",
            "redirect_uris",
            "application_type",
            "launch_urls",
            "post_logout_redirect_uris",
            "allowed_origins",
            "fhir_servers",
            "scope",
            "jwks",
            "jwks_uri",
            "access_token_seconds",
            "refresh_token_seconds",
            "supersede",
            "tokens_to_keep",
            "address_policy",
            "profile",
            "refuses_unknown_scopes",
            "always_asks_consent",
            "fhir_context_as_text",
            "allows_missing_state",
            "backend_patient",
            "backend_by_secret",
        )

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

    def clean_jwks(self) -> str:
        return clients.compact_jwks(self.cleaned_data["jwks"])

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

    def _post_clean(self) -> None:
        """The rules of registration, once the instance holds what was typed."""
        if self.instance.pk is None:
            self._set_kind(self.instance)
        self._set_refresh_grant(self.instance)
        super()._post_clean()
        servers = self.cleaned_data.get("fhir_servers")
        if servers is None:
            servers = self.instance.fhir_servers.all() if self.instance.pk else ()
        problems = clients.problems(self.instance, list(servers))
        if "number" in self.errors:
            problems.pop("client_id", None)
        show_problems(self, problems)

    def _set_kind(self, client: Client) -> None:
        """What a new client gets from us rather than from the person who types."""
        client.client_id = self.cleaned_data.get("number", "")
        client.authentication, client.grants = self.kind.authentication, self.kind.grants
        client.registered_at = clock.now()

    def _set_refresh_grant(self, client: Client) -> None:
        if "may_stay" in self.cleaned_data:
            others = [name for name in client.grants.split() if name != "refresh_token"]
            client.grants = " ".join([*others, *(["refresh_token"] if self.cleaned_data["may_stay"] else [])])

    def save(self, commit: bool = True) -> Any:
        client = self.instance
        if client.pk is None and self.kind.has_secret:
            client.drawn_secret = assign_secret(client)  # shown in the answer, kept nowhere
        return super().save(commit)
