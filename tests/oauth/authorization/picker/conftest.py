"""A producer's FHIR server, and its row."""

import secrets
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
    own = f"http://127.0.0.1:{producer.server_port}/{secrets.token_hex(4)}"  # ports come again, rows stay
    return FhirServer.objects.create(base=own, name="Lakeside", patient_source="search")
