"""Every path of the bundled FHIR bases, all of one view: those that FHIR has, and whatever else is asked."""

from collections.abc import Iterator

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, path

from fhir.http.handlers import HANDLERS
from fhir.http.routes import every_path, route
from fhir.http.views import FhirView
from fhir.versions.version import available_versions, load_version
from smart.fhir.versions import resource_types


def url_patterns(key: str) -> Iterator[URLPattern]:
    """All paths of one version. Raises ImproperlyConfigured where its data promises what nobody does."""
    version, known = load_version(key), resource_types(key)
    for name, resource_type in version.types.items():
        if missing := set(resource_type.interactions) - set(HANDLERS):
            raise ImproperlyConfigured(f"{key} {name}: nothing here does {sorted(missing)}.")
        if name not in known:
            raise ImproperlyConfigured(f"{key} has no type {name}.")
    if missing := set(version.several) - set(HANDLERS):
        raise ImproperlyConfigured(f"{key}: nothing here does {sorted(missing)}.")
    for below in every_path():
        yield path(f"{key}/{route(below)}", FhirView.as_view(version=version, path=below))
    yield path(key, FhirView.as_view(version=version))


urlpatterns = [
    pattern for key in available_versions() if key in settings.SMARTAUTH_FHIR_BASES for pattern in url_patterns(key)
]
