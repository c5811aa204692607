"""Clients, and the clients that are resource servers."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from oauth2_provider.models import AbstractApplication, ApplicationManager

from accounts import clock
from accounts.rows import only_row
from oauth.models.servers import AddressPolicy, FhirServer
from smart.http.cors import origins
from smart.text import has_unsafe_characters
from smart.tokens import refresh


class ClientQuerySet(models.QuerySet["Client"]):
    def advance_epoch(self) -> int:
        """Every token of these clients is dead at the next introspection."""
        return self.update(epoch=F("epoch") + 1)

    def disable(self) -> int:
        """These clients are refused at every endpoint, and all their access ends."""
        return self.update(enabled=0, epoch=F("epoch") + 1)

    def enable(self) -> int:
        """These clients may ask again; what ended stays ended."""
        return self.update(enabled=1)


class Clients(ApplicationManager.from_queryset(ClientQuerySet)):  # type: ignore[misc]
    """DOT's manager with our vocabulary."""


class Client(AbstractApplication):
    """DOT's Application, swapped: an app or a resource server that this server knows."""

    class Authentication(models.TextChoices):
        NONE = "none", "PKCE alone"
        SECRET = "secret", "secret"
        KEYS = "keys", "signed assertion"

    class Profile(models.TextChoices):
        SMART = "smart", "SMART App Launch"
        OPENID = "openid", "plain OpenID Connect: PKCE and aud may be missing, no FHIR scope is ever granted"

    class ApplicationType(models.TextChoices):
        WEB = "web"
        NATIVE = "native"

    class Supersede(models.TextChoices):
        BY_PERSON = "default", "user-client; for practitioners user-client-patient"
        USER_CLIENT = "user-client", "one person, client and FHIR server"
        USER_CLIENT_PATIENT = "user-client-patient", "one person, client, FHIR server and patient"
        GRANT = "grant", "one authorization"
        CLIENT = "client", "the whole client at one FHIR server"
        OFF = "off", "nothing"

    authentication = models.TextField("proves itself by", choices=Authentication.choices, default=Authentication.NONE)
    application_type = models.TextField(choices=ApplicationType.choices, default=ApplicationType.WEB)
    grants = models.TextField(default="authorization_code", blank=True)
    scope = models.TextField("scopes it may ask", default="", blank=True)
    fhir_servers = models.ManyToManyField(FhirServer, blank=True, related_name="clients")
    launch_urls = models.TextField(default="", blank=True)
    jwks = models.TextField(default="", blank=True)
    jwks_uri = models.TextField(default="", blank=True)
    profile = models.TextField(choices=Profile.choices, default=Profile.SMART)
    maker = models.TextField(default="", blank=True)
    backend_by_secret = models.BigIntegerField(
        default=0, help_text="1 = client_credentials with a secret; SMART wants keys"
    )
    backend_patient = models.TextField(
        default="", blank=True, help_text="FHIR id of the patient that patient/ scopes of client_credentials are about"
    )
    supersede = models.TextField(choices=Supersede.choices, default=Supersede.BY_PERSON)
    tokens_to_keep = models.BigIntegerField(default=1)
    address_policy = models.TextField(choices=AddressPolicy.choices, default=AddressPolicy.OFF)
    access_token_seconds = models.BigIntegerField(default=0, help_text="0 = the FHIR server's")
    refresh_token_seconds = models.BigIntegerField(default=0, help_text="from the launch on; 0 = the server's default")
    allows_missing_state = models.BigIntegerField(default=0)
    refuses_unknown_scopes = models.BigIntegerField(default=0)
    always_asks_consent = models.BooleanField(default=False)
    fhir_context_as_text = models.BigIntegerField(default=0, help_text="1 = fhirContext as in SMART 2.0: only texts")
    approved = models.BigIntegerField(default=1)
    enabled = models.BigIntegerField(default=1)
    epoch = models.BigIntegerField(default=0, editable=False)
    secret_digest = models.TextField(default="", blank=True, editable=False)
    old_secret_digest = models.TextField(default="", blank=True, editable=False)
    old_secret_until = models.BigIntegerField(default=0, editable=False)
    registered_at = models.BigIntegerField(default=clock.now, editable=False)

    # Columns that DOT's Application brings and nothing here reads: `authentication` and `grants` say the same in more
    # detail. They stay because DOT's code, where somebody uses it, asks for them; each has a value that it accepts.
    hash_client_secret = models.BooleanField(default=False, editable=False)
    client_type = models.CharField(
        max_length=32,
        choices=AbstractApplication.CLIENT_TYPES,
        default=AbstractApplication.CLIENT_PUBLIC,
        editable=False,
    )
    authorization_grant_type = models.CharField(
        max_length=44,
        choices=AbstractApplication.GRANT_TYPES,
        default=AbstractApplication.GRANT_AUTHORIZATION_CODE,
        editable=False,
    )
    client_secret = models.CharField(max_length=255, default="", blank=True, editable=False)

    objects: ClassVar[Clients] = Clients()

    class Meta(AbstractApplication.Meta):
        verbose_name = "client"
        constraints = [
            models.CheckConstraint(condition=models.Q(tokens_to_keep__gte=1), name="client_keeps_at_least_one_token"),
            models.CheckConstraint(condition=models.Q(client_secret=""), name="client_secret_is_never_kept"),
        ]

    def __str__(self) -> str:
        return self.name or self.client_id

    def clean(self) -> None:
        """smart.clients.redirect_uris decides where a client may live; DOT's own check knows our fields too little."""

    @property
    def keeps_secrets(self) -> bool:
        return keeps_secrets(self.authentication, self.application_type)

    @property
    def refresh_absolute_seconds(self) -> int:
        """How many seconds after the launch even offline access ends, 0 = never (RF-08)."""
        default = settings.SMARTAUTH_REFRESH_TOKEN_SECONDS
        return refresh.absolute_seconds(self.refresh_token_seconds, default, keeps_secrets=self.keeps_secrets)

    @classmethod
    def of(cls, client_id: str) -> Self | None:
        return None if has_unsafe_characters(client_id) else only_row(cls.objects.filter(client_id=client_id))

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            found_now = origins(f"{self.redirect_uris} {self.launch_urls} {self.allowed_origins}".split())
            self.origins.exclude(origin__in=found_now).delete()
            for found in found_now:
                self.origins.get_or_create(origin=found)


def keeps_secrets(authentication: str, application_type: str) -> bool:
    """Whether an app has a place that others cannot read: a confidential app or a native one (RF-07)."""
    return application_type == Client.ApplicationType.NATIVE or authentication != Client.Authentication.NONE


class FetchedKeys(models.Model):
    """What a client's JWKS URL answered last: usable until `fresh_until`, asked anew not too often (CL-10, CL-11)."""

    client = models.OneToOneField(Client, models.CASCADE, related_name="fetched_keys")
    jwks_uri = models.TextField()
    keys = models.TextField(default="", blank=True)
    asked_at = models.BigIntegerField(default=0)
    fetched_at = models.BigIntegerField(default=0)
    fresh_until = models.BigIntegerField(default=0)


class AssertionId(models.Model):
    """The `jti` of an assertion that proved a client, remembered while it could be shown again (CL-06)."""

    client = models.ForeignKey(Client, models.CASCADE)
    jti_digest = models.TextField()
    forget_at = models.BigIntegerField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "jti_digest"], name="one_use_an_assertion")]


class Origin(models.Model):
    """A browser origin of a client, kept in step with its redirect and launch URLs (CORS)."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="origins")
    origin = models.TextField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "origin"], name="one_origin_a_client")]


class ResourceServerRole(models.Model):
    """That a client may introspect, revoke, invalidate and report for a FHIR server."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="protects")
    fhir_server = models.ForeignKey(FhirServer, models.CASCADE, related_name="resource_servers")
    tells_addresses = models.BigIntegerField(default=0, help_text="1 = its __client_ip is believed")

    class Meta:
        db_table = "oauth_resourceserver"
        verbose_name = "resource server"
        constraints = [models.UniqueConstraint(fields=["client", "fhir_server"], name="one_role_a_server")]
