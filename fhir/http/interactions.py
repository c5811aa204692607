"""What this server does once a request is allowed: read, search, and say what it can."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.conf import settings
from rest_framework.request import Request

from fhir.http import bundle
from fhir.http.capability_statement import capability_statement
from fhir.search import query
from fhir.store import lookup
from fhir.versions.version import ResourceType, Version
from smart.decisions.view import View

NAME = "Harbour Clinic"


@dataclass(frozen=True, slots=True)
class Interaction:
    """An allowed interaction: on what, and which records the caller's scopes open."""

    request: Request
    version: Version
    base: str
    resource_type: ResourceType
    resource_id: str
    parameters: query.Pairs
    records: View


def read(asked: Interaction) -> str:
    """The resource as it was stored (FHIR http, read)."""
    return lookup.find_record(asked.version, asked.resource_type.name, asked.resource_id, asked.records).content


def search_type(asked: Interaction) -> str:
    """A searchset of what may be seen; GET and POST _search are judged alike (SR-01)."""
    strict = "handling=strict" in asked.request.headers.get("Prefer", "").replace(" ", "").lower()
    search = query.parse_search(asked.parameters, asked.resource_type, asked.base, strict=strict)
    found, total = lookup.search_records(asked.version, asked.resource_type.name, asked.records, search)
    return bundle.searchset(found, total, search, f"{asked.base}/{asked.resource_type.name}", asked.base)


def capabilities(version: Version, base: str) -> str:
    """What is done at this base, the same for everybody (FHIR http, capabilities)."""
    implementation = {"description": NAME, "url": base}
    return json.dumps(capability_statement(version, HANDLERS, implementation, settings.SMARTAUTH_FHIR_OAUTH_URIS))


HANDLERS: Mapping[str, Callable[[Interaction], str]] = {"read": read, "search-type": search_type}
