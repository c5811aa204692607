"""What is done at a base, the same for everybody (FHIR http, capabilities)."""

import json

from django.conf import settings

from fhir.http.capability_statement import capability_statement
from fhir.http.handlers import HANDLERS
from fhir.versions.version import Version


def capabilities(version: Version, base: str) -> str:
    """The statement of this base."""
    implementation = {"description": settings.SMARTAUTH_FHIR_NAME, "url": base}
    return json.dumps(capability_statement(version, HANDLERS, implementation, settings.SMARTAUTH_FHIR_OAUTH_URIS))
