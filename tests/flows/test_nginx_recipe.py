"""The recipe for nginx: what of a client's request arrives at the server behind, which believes everything."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.gateways import HOSTILE, Front, Recorder, between_recorders
from tests.running import free_port
from tests.strangers import nginx_before

pytestmark = pytest.mark.clients

PATHS = ("Patient/amy", "Patient?_id=amy")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    yield from between_recorders(nginx_before, tmp_path_factory.mktemp("nginx"))


@pytest.fixture
def front(started: Front) -> Front:
    """With a yes to the read of amy, and to the search for amy."""
    started.smartauth.say(200, X_Smartauth_View="all", X_Smartauth_Patient="amy")
    return started


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_server_behind_gets_the_address_the_host_and_accept_alone(front: Front, path: str, method: str) -> None:
    headers = {**HOSTILE, "Host": "evil.example.org", "Accept": "application/fhir+json"}

    answer, seen = front.arrives(path, method, headers=headers, content=iter([b'{"resourceType":"Patient"}']))

    host = front.base.removeprefix("http://").removesuffix("/fhir")
    assert answer.status_code == 200
    assert seen == (method, f"/fhir/{path}", {"host": host, "connection": "close", "accept": "application/fhir+json"})


@pytest.mark.parametrize(("path", "understands"), [*zip(PATHS, ("nothing", "patient"), strict=True)])
def test_smartauth_is_asked_by_headers_of_which_none_but_the_token_is_the_clients(
    front: Front, path: str, understands: str
) -> None:
    front.arrives(path, headers={**HOSTILE, "Host": "evil.example.org"}, content=iter([b"{}"]))

    assert front.smartauth.arrived == [
        (
            "GET",
            "/access/v1/gateway",
            {
                "host": front.smartauth.address,
                "connection": "close",
                "authorization": "Bearer x",
                "x-original-method": "GET",
                "x-original-uri": f"/fhir/{path}",
                "x-smartauth-authorization": "Basic aXQ6c2VjcmV0",
                "x-smartauth-base": front.base,
                "x-smartauth-understands": understands,
            },
        )
    ]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("status", "told", "answered"),
    [(401, {"WWW_Authenticate": "Bearer"}, 401), (403, {"WWW_Authenticate": "Bearer error"}, 403), (403, {}, 403)]
    + [(403, {"X_Smartauth_Status": "404"}, 404)]
    + [(status, {}, 503) for status in (301, 400, 404, 429, 500, 503)],
)
def test_what_is_no_yes_opens_nothing(
    front: Front, path: str, status: int, told: dict[str, str], answered: int
) -> None:
    front.smartauth.say(status, **told)

    answer, seen = front.arrives(path)

    assert (answer.status_code, seen) == (answered, None)
    assert answer.headers.get_list("WWW-Authenticate") == [*filter(None, [told.get("WWW_Authenticate")])]
    assert answer.headers.get("Retry-After") == ("5" if answered == 503 else None)


@pytest.mark.parametrize(
    ("path", "patient", "found"),
    [
        ("Patient", "amy", "amy"),
        ("Patient?_id=amy", "amy", "amy"),
        ("Patient?_id=ben", "amy", "_"),
        ("Patient?_id=am", "amy", "_"),
        ("Patient?_id=amy,ben", "amy", "_"),
        ("Patient?_id=ben&_id=amy", "amy", "_"),
        ("Patient?_id=", "amy", "amy"),
        ("Patient", "", "_"),
        ("Patient?_id=amy", "", "_"),
        ("Patient", "amy&_include=x", "_"),
        ("Patient", "amy ben", "_"),
    ],
)
def test_a_search_finds_the_one_patient_of_the_decision_or_nobody(
    front: Front, path: str, patient: str, found: str
) -> None:
    front.smartauth.say(200, X_Smartauth_Patient=patient)

    _, seen = front.arrives(path)

    assert seen[:2] == ("GET", f"/fhir/Patient?_id={found}")


@pytest.mark.parametrize("said", [{}, {"X_Smartauth_View": "patient"}, {"X_Smartauth_View": "nearly all"}])
def test_a_200_that_is_no_whole_yes_opens_no_record(front: Front, said: dict[str, str]) -> None:
    front.smartauth.say(200, **said)

    _, seen = front.arrives("Patient/amy")

    assert seen[:2] == ("GET", "/fhir/Patient/_")


def test_a_host_in_the_request_line_does_not_arrive_either(front: Front) -> None:
    host, _, port = front.base.removeprefix("http://").removesuffix("/fhir").partition(":")
    front.behind.arrived.clear()

    with socket.create_connection((host, int(port)), timeout=20) as line:
        head = (
            "GET http://evil.example.org/fhir/Patient/amy HTTP/1.1\r\nHost: evil.example.org\r\nConnection: close\r\n"
        )
        line.sendall(f"{head}Authorization: Bearer x\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 200")
    assert front.behind.arrived[0][1:] == ("/fhir/Patient/amy", {"host": f"{host}:{port}", "connection": "close"})


@pytest.mark.parametrize(
    "path",
    ["Patient?_id=amy&_has:Observation:patient:code=x&_include=*", "Patient?_summary=count", "Patient?_id=amy&_id=ben"],
)
def test_a_search_arrives_as_the_search_for_the_patient(front: Front, path: str) -> None:
    answer, seen = front.arrives(path)

    assert answer.status_code == 200
    assert seen[:2] == ("GET", "/fhir/Patient?_id=amy")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", PATHS)
def test_nothing_but_a_read_arrives(front: Front, path: str, method: str) -> None:
    answer, seen = front.arrives(path, method, content=json.dumps({"resourceType": "Patient"}))

    assert (answer.status_code, seen) == (403, None)


ELSEWHERE = ["Observation?patient=amy", "Patient/_search", "Patient/amy/$everything", "Patient/amy/", "metadata/", ""]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_what_the_recipe_does_not_name_does_not_arrive(front: Front, path: str) -> None:
    answer, seen = front.arrives(path)

    assert (answer.status_code, seen) == (404, None)


def test_the_capability_statement_is_public_and_asked_for_without_anything_of_the_client(front: Front) -> None:
    answer, seen = front.arrives("metadata?x=1", headers={"Authorization": "Basic x"}, content=b"x")

    assert answer.status_code == 200
    assert seen[:2] == ("GET", "/fhir/metadata")
    assert "authorization" not in seen[2]


def test_what_follows_the_address_of_the_document_changes_nothing(front: Front) -> None:
    one, other = (front.arrives(f".well-known/smart-configuration{query}") for query in ("", "?aud=x"))

    assert (one[0].status_code, one[0].text, one[1]) == (200, other[0].text, None)


def test_the_document_is_kept_for_a_while_but_an_error_is_not(tmp_path: Path) -> None:
    base, smartauth = f"http://127.0.0.1:{free_port()}", Recorder(status=404)
    introspect = f"http://{smartauth.address}/o/introspect"
    environment = {"FHIR_BASE": base, "INTROSPECT": introspect, "CLIENT_ID": "it", "CLIENT_SECRET": "secret"}
    process = nginx_before("127.0.0.1:1", environment, tmp_path)
    found = []
    for status, kind in ((404, "json"), (200, "html"), (200, "json; charset=utf-8"), (500, "json")):
        smartauth.say(status, Content_Type=f"application/{kind}")
        found.append(httpx.get(f"{base}/.well-known/smart-configuration", timeout=20))
    process.stop()
    smartauth.http.shutdown()

    assert [each.status_code for each in found] == [503, 200, 200, 200]
    assert found[0].headers["Retry-After"] == "5"
    assert [each.headers["Content-Type"] for each in found[1:]] == [
        "application/html",
        *[found[3].headers["Content-Type"]] * 2,
    ]
    assert found[3].headers["Access-Control-Allow-Origin"] == "*"
    assert smartauth.arrived[0][1] == f"/o/smart-configuration?aud={base}"
