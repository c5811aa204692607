"""What a FHIR server may send to a search: so much, and for so long."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from oauth.authorization.picker.search_request import BODY_LIMIT, SearchFailed, _read_body, fetch_patients
from oauth.models import FhirServer
from tests.oauth.authorization.picker.producer_server import ELSEWHERE, Producer
from tests.publishing import authority, server_context


def answer(size: int) -> httpx.Response:
    return httpx.Response(200, content=iter([b"x" * size]))


@pytest.mark.requirement("AZ-12", "E42")
def test_an_answer_is_read_up_to_a_megabyte() -> None:
    deadline = time.monotonic() + 60

    assert len(_read_body(answer(BODY_LIMIT), deadline)) == 1_048_576
    with pytest.raises(SearchFailed):
        _read_body(answer(BODY_LIMIT + 1), deadline)


@pytest.mark.requirement("AZ-12", "E42")
def test_an_answer_that_takes_too_long_is_none() -> None:
    with pytest.raises(SearchFailed):
        _read_body(answer(1), time.monotonic() - 1)


@pytest.mark.requirement("AZ-12")
def test_the_search_goes_straight_to_the_server_and_a_private_authority_is_believed_where_it_is_named(
    producer: Producer, base: FhirServer, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    producer.has({"id": "fine"})
    assert b"fine" in fetch_patients(base, {"name": "Ada"})

    file = tmp_path / "ca.pem"
    file.write_bytes(authority()[1].public_bytes(Encoding.PEM))
    producer.socket = server_context("127.0.0.1").wrap_socket(producer.socket, server_side=True)
    base.base = base.base.replace("http:", "https:")
    with pytest.raises(httpx.ConnectError):
        fetch_patients(base, {"name": "Ada"})
    settings.SMARTAUTH_CA_FILE = str(file)
    assert b"fine" in fetch_patients(base, {"name": "Ada"})


@pytest.mark.requirement("AZ-12", "E42")
def test_where_a_redirect_leads_nobody_goes(producer: Producer, base: FhirServer) -> None:
    producer.status, producer.headers, producer.body = 302, {"Location": ELSEWHERE}, b'{"entry": []}'

    with pytest.raises(SearchFailed, match="status 302"):
        fetch_patients(base, {"name": "Ada"})
