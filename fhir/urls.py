"""Every path of the bundled FHIR bases, made from routes; the base of a version is `{version}/`."""

from collections.abc import Iterator

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, path

from fhir.http.interactions import HANDLERS
from fhir.http.routes import Route, all_routes
from fhir.http.views import FhirView
from fhir.versions.version import Version, available_versions, load_version
from smart.fhir.versions import resource_types


def url_pattern(version: Version, route: Route) -> URLPattern:
    """The route at its path under the base."""
    pattern: URLPattern = path(f"{version.key}/{route.path}", FhirView.as_view(version=version, route=route))
    return pattern


def url_patterns(key: str) -> Iterator[URLPattern]:
    """All paths of one version. Raises ImproperlyConfigured where its data promises what nobody does."""
    version, known = load_version(key), resource_types(key)
    for name, resource_type in version.types.items():
        if missing := set(resource_type.interactions) - set(HANDLERS):
            raise ImproperlyConfigured(f"{key} {name}: nothing here does {sorted(missing)}.")
        if name not in known:
            raise ImproperlyConfigured(f"{key} has no type {name}.")
    for route in all_routes(known):
        yield url_pattern(version, route)
    yield path(version.key, FhirView.as_view(version=version, route=all_routes(known)[-1]))


urlpatterns = [
    pattern for key in available_versions() if key in settings.SMARTAUTH_FHIR_BASES for pattern in url_patterns(key)
]
