"""A producer's FHIR server, and its row."""

from collections.abc import Iterator

import pytest

from oauth.models import FhirServer
from tests.oauth.authorization.picker.producer_server import Producer


@pytest.fixture
def producer(committed: None) -> Iterator[Producer]:
    server = Producer()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def base(producer: Producer) -> FhirServer:
    """Its row, searched by practitioners."""
    return FhirServer.objects.create(
        base=f"http://127.0.0.1:{producer.server_port}/fhir", name="Lakeside", patient_source="search"
    )
