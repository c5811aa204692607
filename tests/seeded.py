"""Rows of the demo that tests ask for by name, in this process and in scripts for a server's own."""

from typing import Any

from django.conf import settings


def r4_server() -> Any:
    """The bundled R4 base, as `smartauth.yaml` registers it."""
    from oauth.models import FhirServer

    return FhirServer.objects.get(base=settings.SMARTAUTH_FHIR_BASES["r4"])
