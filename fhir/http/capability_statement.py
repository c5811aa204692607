"""The capability statement, computed from the paths that serve and the data behind them (SD-12)."""

from collections.abc import Container, Mapping
from typing import Any

from fhir.versions.version import ResourceType, Version
from smart.decisions.interactions import PATHS
from smart.fhir.elements import Json

_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SEARCH = "search-type"


def capability_statement(
    version: Version,
    implemented: Container[str],
    implementation: Json,
    uris: Mapping[str, str],
) -> dict[str, Any]:
    """CapabilityStatement, or Conformance in the versions that call it so; `uris` say where tokens are got (WF-14)."""
    served = {kind for place in PATHS.values() for kind in place.values() if kind in implemented}
    rest = {
        "mode": "server",
        **version.rest,
        "security": _security(version, uris),
        "resource": [_resource(version.types[type_], served) for type_ in sorted(version.types)],
    }
    return {**version.statement, "implementation": implementation, "fhirVersion": version.number, "rest": [rest]}


def _resource(resource_type: ResourceType, served: set[str]) -> dict[str, Any]:
    kinds = [kind for kind in resource_type.interactions if kind in served]
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
