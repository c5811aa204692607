"""The FHIR servers that developers registered themselves: all but the bundled one."""

from django.conf import settings

from oauth.models import FhirServer

MOST = 20


def own_servers() -> list[FhirServer]:
    """The newest first."""
    bundled = settings.SMARTAUTH_FHIR_BASES.values()
    return list(FhirServer.objects.exclude(base__in=bundled).order_by("-pk")[:MOST])


def bundled_servers() -> list[FhirServer]:
    """Those of this server itself that tokens are made for."""
    return list(FhirServer.objects.filter(base__in=settings.SMARTAUTH_FHIR_BASES.values()).order_by("pk"))
