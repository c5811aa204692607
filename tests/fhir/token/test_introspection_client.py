"""Every way in which the authorization server can answer, or not."""

import socket
import ssl
import threading
import time
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from pytest_django.fixtures import Settings

from fhir.token import introspection_client
from tests.fhir.conftest import BASE, METADATA, Introspection
from tests.fixture_types import Fetch

pytestmark = [pytest.mark.one_engine, pytest.mark.usefixtures("records")]


def test_it_asks_with_its_own_credentials_about_the_token_and_the_callers_address(
    fetch: Fetch, introspection: Introspection
) -> None:
    introspection.knows("patient/Patient.r", patient="amy")

    answer = fetch("Patient/amy", REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="203.0.113.9")

    assert answer.status == 200
    assert introspection.asked == [{"token": "a.good-token", "__client_ip": "192.0.2.7"}]
    assert introspection.credentials == ["Basic ZGVtby1yZXNvdXJjZS1zZXJ2ZXI6ZGVtby1yZXNvdXJjZS1zZXJ2ZXItc2VjcmV0"]


@pytest.mark.requirement("TV-26")
@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        pytest.param(0, "203.0.113.9", "192.0.2.7", id="no proxy trusted"),
        pytest.param(1, "198.51.100.1, 203.0.113.9", "203.0.113.9", id="one, counted from the right"),
        pytest.param(2, "198.51.100.1, 203.0.113.9", "198.51.100.1", id="two"),
        pytest.param(1, "", "192.0.2.7", id="one, that sent nothing"),
    ],
)
def test_only_trusted_proxies_may_tell_the_address(
    fetch: Fetch, introspection: Introspection, settings: Settings, proxies: int, forwarded: str, address: str
) -> None:
    settings.SMARTAUTH_TRUSTED_PROXIES = proxies
    introspection.knows("patient/Patient.r", patient="amy")

    fetch("Patient/amy", REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR=forwarded)

    assert introspection.asked[0]["__client_ip"] == address


@pytest.mark.requirement("TV-26")
def test_without_a_peer_or_a_header_nothing_is_made_up(settings: Settings) -> None:
    """A request over a Unix socket has no peer."""
    settings.SMARTAUTH_TRUSTED_PROXIES = 1

    assert introspection_client.caller_address({}) == ""
    assert introspection_client.caller_address({"REMOTE_ADDR": "192.0.2.7"}) == "192.0.2.7"


def test_it_asks_for_json_that_is_not_compressed_and_through_no_proxy(
    fetch: Fetch, introspection: Introspection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr(introspection_client, "_clients", [])
    introspection.knows("patient/Patient.r", patient="amy")

    status = fetch("Patient/amy").status
    introspection_client._client().close()

    assert status == 200
    assert introspection.accepts == [("application/json", "identity")]


@pytest.mark.requirement("TV-15")
def test_each_question_waits_as_long_as_the_setting_says(
    fetch: Fetch, introspection: Introspection, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SMARTAUTH_FHIR_INTROSPECTION_TIMEOUT = 17.0
    introspection.knows("patient/Patient.r", patient="amy")
    waits: list[dict[str, float]] = []
    hooks = {"request": [lambda request: waits.append(request.extensions["timeout"])]}
    with httpx.Client(event_hooks=hooks) as client:
        monkeypatch.setattr(introspection_client, "_clients", [client])
        assert fetch("Patient/amy").status == 200

    assert waits == [dict.fromkeys(("connect", "read", "write", "pool"), 17.0)]


@pytest.mark.requirement("TV-05", "TV-16")
def test_an_inactive_token_is_refused_at_the_very_next_request(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("patient/*.rs", patient="amy")
    assert fetch("Patient/amy").status == 200
    introspection.says(active=False)

    answer = fetch("Patient/amy")

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="{BASE}", error="invalid_token", {METADATA}'
    assert answer.body["resourceType"] == "OperationOutcome"


def live(active: object) -> str:
    told = f'"aud": "{BASE}", "exp": {int(time.time()) + 300}, "scope": "patient/*.rs", "patient": "amy"'
    return f'{{"active": {active}, {told}}}'


@pytest.mark.requirement("TV-05")
def test_an_inactive_token_opens_nothing_whatever_else_is_said_of_it(
    fetch: Fetch, introspection: Introspection
) -> None:
    introspection.body = live("false").encode()

    assert fetch("Patient/amy").status == 401


@pytest.mark.requirement("TV-15")
@pytest.mark.parametrize(("length", "status"), [(1_048_576, 200), (1_048_577, 503)])
def test_an_answer_is_a_mebibyte_at_most(fetch: Fetch, introspection: Introspection, length: int, status: int) -> None:
    introspection.body = live("true").ljust(length).encode()

    assert fetch("Patient/amy").status == status


@pytest.mark.requirement("TV-15", "TV-27")
@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(200, "<html>Please wait</html>", id="HTML"),
        pytest.param(200, "", id="nothing"),
        pytest.param(200, "[true]", id="a list"),
        pytest.param(200, "true", id="true"),
        pytest.param(200, '{"active": false, ' + live("true")[1:], id="active false, then true"),
        pytest.param(200, "{}", id="an object without active"),
        pytest.param(200, live('"true"'), id="active as text"),
        pytest.param(200, live(1), id="active as a number"),
        pytest.param(200, live("null"), id="active null"),
        pytest.param(200, "[" * 60_000, id="deeply nested"),
        pytest.param(200, live("true") + " " * 1_050_000, id="huge"),
        pytest.param(500, live("true"), id="500"),
        pytest.param(401, live("true"), id="our own credentials refused"),
        pytest.param(204, "", id="204"),
    ],
)
def test_an_answer_that_is_none_lets_nobody_in(
    fetch: Fetch, introspection: Introspection, caplog: pytest.LogCaptureFixture, status: int, body: str
) -> None:
    introspection.status, introspection.body = status, body.encode()

    answer = fetch("Patient/amy")

    (told,) = [record.getMessage() for record in caplog.records if record.name == "smartauth.fhir"]
    assert told.startswith(f"the authorization server at {introspection.url} did not answer about a token: ")
    assert "a.good-token" not in caplog.text

    assert answer.status == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.body["issue"][0]["code"] == "transient"
    assert "Traceback" not in answer.text


@pytest.mark.requirement("TV-15")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 503),
        ({"Content-Type": "text/html"}, 503),
        ({"Content-Type": "application/json;charset=UTF-8"}, 200),
    ],
)
def test_only_an_answer_that_says_to_be_json_is_one(
    fetch: Fetch, introspection: Introspection, headers: dict[str, str], status: int
) -> None:
    introspection.knows("patient/*.rs", patient="amy")
    introspection.headers = headers

    assert fetch("Patient/amy").status == status


@pytest.mark.requirement("TV-15")
def test_bytes_that_are_no_text_let_nobody_in(fetch: Fetch, introspection: Introspection) -> None:
    introspection.body = b'{"active": true, "scope": "\xff"}'

    assert fetch("Patient/amy").status == 503


@pytest.mark.requirement("TV-15")
def test_a_redirect_is_not_followed(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("patient/*.rs", patient="amy")
    introspection.status = 307
    introspection.headers = {"Location": introspection.url}

    assert fetch("Patient/amy").status == 503
    assert len(introspection.asked) == 1


@pytest.mark.requirement("TV-15")
def test_a_slow_answer_is_not_waited_for(fetch: Fetch, introspection: Introspection, settings: Settings) -> None:
    settings.SMARTAUTH_FHIR_INTROSPECTION_TIMEOUT = 0.2
    introspection.knows("patient/*.rs", patient="amy")
    introspection.answers.clear()

    status = fetch("Patient/amy").status

    introspection.answers.set()  # who had waited for it would show the patient
    assert status == 503


@pytest.mark.requirement("TV-15", "TV-31")
def test_an_answer_that_drips_is_not_waited_for(fetch: Fetch, settings: Settings) -> None:
    settings.SMARTAUTH_FHIR_INTROSPECTION_TIMEOUT = 0.3
    listener = socket.create_server(("127.0.0.1", 0))
    settings.SMARTAUTH_FHIR_INTROSPECTION_URL = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    dripped: list[bytes] = []

    def drip() -> None:
        connection, _ = listener.accept()
        with connection, listener, suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 600\r\n\r\n")
            while len(dripped) < 600:
                connection.sendall(b" ")
                dripped.append(b" ")
                time.sleep(0.1)

    threading.Thread(target=drip, daemon=True).start()

    status = fetch("Patient/amy").status

    assert (status, len(dripped) < 600) == (503, True)


@pytest.mark.requirement("TV-15")
def test_a_closed_port_lets_nobody_in(fetch: Fetch, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings.SMARTAUTH_FHIR_INTROSPECTION_URL = f"http://127.0.0.1:{port}/"

    assert fetch("Patient/amy").status == 503


def test_the_connection_is_kept_open_between_requests(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("patient/Patient.r", patient="amy")

    for _ in range(5):
        assert fetch("Patient/amy").status == 200

    assert len(introspection.asked) == 5
    assert len(introspection.connections) == 1


def test_a_connection_that_was_closed_meanwhile_is_opened_again(fetch: Fetch, settings: Settings) -> None:
    body = live("true").encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    listener = socket.create_server(("127.0.0.1", 0))
    settings.SMARTAUTH_FHIR_INTROSPECTION_URL = f"http://127.0.0.1:{listener.getsockname()[1]}/"

    def serve() -> None:
        with listener:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(head + body)
            connection.recv(65536)  # the second question gets no answer on this connection
            connection.close()
            again, _ = listener.accept()
            with again:
                again.recv(65536)
                again.sendall(head + body)

    threading.Thread(target=serve, daemon=True).start()

    assert [fetch("Patient/amy").status for _ in range(2)] == [200, 200]


def test_a_question_goes_where_the_authorities_that_are_believed_vouch_for(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    made: list[dict[str, Any]] = []
    context = ssl.create_default_context()
    settings.SMARTAUTH_CA_FILE = "authorities.pem"
    monkeypatch.setattr(introspection_client, "_clients", [])
    monkeypatch.setattr(introspection_client, "outgoing_tls", {"authorities.pem": context}.get)
    library = SimpleNamespace(Client=lambda **options: made.append(options), Limits=httpx.Limits)
    monkeypatch.setattr(introspection_client, "httpx", library)

    introspection_client._client()

    assert (made[0]["verify"], made[0]["trust_env"], made[0]["follow_redirects"]) == (context, False, False)
