"""The FHIR bases that this server protects."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models

from accounts.rows import only_row
from smart.fhir.versions import NO_FHIR
from smart.text import has_unsafe_characters
from smart.tokens import lifetimes


class AddressPolicy(models.TextChoices):
    OFF = "off", "not compared"
    FLAG = "flag", "flagged"
    BLOCK = "block", "blocked"
    END = "end", "blocked, and the access ends"


class ClaimProfile(models.TextChoices):
    """In whose words and forms introspection and JWT tell scopes, patient and person."""

    SMART = "smart", "SMART"
    NODE = "node", "node-fhir-server-core"
    HAPI = "hapi", "HAPI-style filters"
    GOOGLE = "google", "google fhir-gateway"
    LINUXFORHEALTH = "linuxforhealth", "LinuxForHealth"
    AWS = "aws", "FHIR Works on AWS"
    MICROSOFT = "microsoft", "Microsoft FHIR server"
    CUSTOM = "custom", "own mapping"


class FhirServers(models.Manager["FhirServer"]):
    """Those that hold records."""

    def get_queryset(self) -> models.QuerySet["FhirServer"]:
        return super().get_queryset().exclude(version=NO_FHIR)


class FhirServer(models.Model):
    """One protected FHIR base URL = one `aud`. Where it and the client both set something, the stricter holds.

    One row more is what plain OpenID Connect gets tokens for: UserInfo, which has no FHIR version and no records.
    """

    class Version(models.TextChoices):
        DSTU2 = "dstu2", "DSTU2"
        STU3 = "stu3", "STU3"
        R4 = "r4", "R4"
        R4B = "r4b", "R4B"
        R5 = "r5", "R5"

    class TokenFormat(models.TextChoices):
        JWT = "jwt", "JWT (RFC 9068)"
        OPAQUE = "opaque", "opaque"

    class Algorithm(models.TextChoices):
        ES256 = "ES256"
        RS256 = "RS256"

    class PatientSource(models.TextChoices):
        LIST = "list", "the list kept here"
        SEARCH = "search", "a search at the FHIR server"

    base = models.TextField("base (aud)", unique=True)
    name = models.TextField()
    version = models.TextField("FHIR version", choices=Version.choices, default=Version.R4)
    token_format = models.TextField(choices=TokenFormat.choices, default=TokenFormat.JWT)
    signing_algorithm = models.TextField(choices=Algorithm.choices, default=Algorithm.ES256)
    address_policy = models.TextField(choices=AddressPolicy.choices, default=AddressPolicy.FLAG)
    access_token_seconds = models.BigIntegerField(default=0, help_text="0 = the server's default")
    claim_profile = models.TextField(choices=ClaimProfile.choices, default=ClaimProfile.SMART)
    claim_mapping = models.TextField(
        "own mapping", default="", blank=True, help_text="JSON; only for the profile with an own mapping"
    )
    v1_equivalents = models.BigIntegerField(
        default=0, help_text="1 = introspection adds the v1 spelling of granted v2 scopes"
    )
    patient_source = models.TextField(
        "practitioners find patients by", choices=PatientSource.choices, default=PatientSource.LIST
    )
    epoch = models.BigIntegerField(default=0, editable=False)

    objects: ClassVar[FhirServers] = FhirServers()
    every: ClassVar[models.Manager["FhirServer"]] = models.Manager()

    class Meta:
        verbose_name = "FHIR server"

    def __str__(self) -> str:
        return self.name

    @property
    def name_and_version(self) -> str:
        """Tells one server from the others of the same clinic."""
        return self.name if self.version == NO_FHIR else f"{self.name}, {self.get_version_display()}"

    @classmethod
    def of(cls, base: str, among: "models.QuerySet[FhirServer] | None" = None) -> "FhirServer | None":
        """The one of that base, in the spelling that is stored, of all or among these."""
        found = cls.objects.all() if among is None else among
        return None if has_unsafe_characters(base) else only_row(found.filter(base=base))

    @classmethod
    def userinfo(cls) -> Self:
        """The `aud` of plain OpenID Connect: no FHIR base is ever called so, and no resource server protects it."""
        known = {"name": "UserInfo", "version": NO_FHIR, "address_policy": AddressPolicy.OFF}
        row, _ = cls.every.get_or_create(base=f"{settings.SMARTAUTH_ISSUER}/o/userinfo", defaults=known)
        return row  # type: ignore[return-value]  # the manager does not know of subclasses

    @property
    def token_seconds(self) -> int:
        """How long an access token for it lives where its client says nothing (SD-04)."""
        default, bound = settings.SMARTAUTH_ACCESS_TOKEN_SECONDS, settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS
        return lifetimes.access_token_seconds(self.access_token_seconds, default=default, bound=bound)

    @property
    def holds_records(self) -> bool:
        return self.version != NO_FHIR
