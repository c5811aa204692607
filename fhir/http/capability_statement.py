"""The capability statement, computed from the routes that serve and the data behind them (SD-12)."""

from collections.abc import Container, Iterable, Mapping
from typing import Any

from fhir.http.routes import Route
from fhir.versions.version import ResourceType, Version
from smart.fhir.elements import Json

_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SEARCH = "search-type"


def capability_statement(
    version: Version,
    routes: Iterable[Route],
    implemented: Container[str],
    implementation: Json,
    uris: Mapping[str, str],
) -> dict[str, Any]:
    """CapabilityStatement, or Conformance in the versions that call it so; `uris` say where tokens are got (WF-14)."""
    reached = {(kind, type_) for route in routes for kind in route.interactions.values() for type_ in route.types}
    served = {(kind, type_) for kind, type_ in reached if kind in implemented}
    rest = {
        "mode": "server",
        "security": _security(version, uris),
        "resource": [_resource(version.types[type_], served) for type_ in sorted(version.types)],
    }
    return {**version.statement, "implementation": implementation, "fhirVersion": version.number, "rest": [rest]}


def _resource(resource_type: ResourceType, served: set[tuple[str, str]]) -> dict[str, Any]:
    kinds = [kind for kind in resource_type.interactions if (kind, resource_type.name) in served]
    found: dict[str, Any] = {"type": resource_type.name, "interaction": [{"code": kind} for kind in kinds]}
    if _SEARCH in kinds:
        parameters = resource_type.parameters.values()
        found["searchParam"] = [{"name": parameter.name, "type": parameter.type} for parameter in parameters]
    return found


def _security(version: Version, uris: Mapping[str, str]) -> dict[str, Any]:
    security: dict[str, Any] = {"cors": True, "service": [version.security_service]}
    if uris:
        uris_of_endpoints = [{"url": name, "valueUri": uri} for name, uri in uris.items()]
        security["extension"] = [{"url": _OAUTH_URIS, "extension": uris_of_endpoints}]
    return security
