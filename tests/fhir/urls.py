"""The FHIR server mounted alone: whatever else the composition root does."""

from django.urls import include, path

urlpatterns = [path("fhir/", include("fhir.urls"))]
