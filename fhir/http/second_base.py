"""A second FHIR base, for the sample app in development: the same code under another audience, where no token is good.

It shows what a FHIR server must do with a token for somebody else: refuse it, however alive it is (TV-07, TV-08).
"""

from django.conf import settings
from django.urls import path

from fhir.http.routes import every_path, route
from fhir.http.views import FhirView
from fhir.versions.version import load_version


class SecondBaseView(FhirView):
    """Asks introspection like the first base, and then finds that it is not meant."""

    @property
    def base(self) -> str:
        return f"{settings.SMARTAUTH_ISSUER}/fhir/elsewhere"


urlpatterns = [
    path(route(below), SecondBaseView.as_view(version=load_version("r4"), path=below)) for below in every_path()
]
