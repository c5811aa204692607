"""A FHIR server is found by its base, whatever somebody has written there."""

import pytest

from oauth.models import FhirServer

pytestmark = pytest.mark.django_db


def test_a_server_is_found_by_its_base() -> None:
    made = FhirServer.objects.create(base="https://one.example.org/fhir", name="One")

    assert FhirServer.of("https://one.example.org/fhir") == made
    assert FhirServer.of("https://one.example.org") is None


@pytest.mark.parametrize("odd", ["https://one.example.org/\0", "\0", "\ud800", "\u202e"])
def test_no_server_has_a_base_that_no_database_keeps(odd: str) -> None:
    assert FhirServer.of(odd) is None
