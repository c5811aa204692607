"""What smartauth is asked about a request, and what a refusal keeps from the server."""

import asyncio
from io import BytesIO
from typing import Any, cast

import httpx
import pytest

from smartauth_enforcement import AsgiMiddleware, Enforcement
from smartauth_enforcement.wsgi import read_request_body
from tests.smartauth_enforcement.conftest import (
    AMY,
    BASE,
    DOCUMENT,
    ONE,
    FhirServer,
    Protect,
    Said,
    Send,
    Smartauth,
    view,
)

pytestmark = pytest.mark.one_engine


@pytest.mark.requirement("TV-01", "TV-18")
@pytest.mark.parametrize(
    ("shown", "challenge"),
    [
        (None, "Bearer"),
        ("Basic eDp5", "Bearer"),
        ("Bearer", "Bearer"),
        ("Bearer a b", 'Bearer error="invalid_token"'),
        ("Bearer one, Bearer two", 'Bearer error="invalid_token"'),
    ],
)
def test_without_one_token_nobody_is_asked(
    send: Send, smartauth: Smartauth, fhir: FhirServer, shown: str | None, challenge: str
) -> None:
    answer = send("GET", "Patient/amy", token=None, headers={"Authorization": shown} if shown else {})

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, challenge)
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert (smartauth.asked, fhir.asked) == ([], [])


@pytest.mark.parametrize(
    "url", ["http://fhir.example.org/", "http://fhir.example.org/fhirx/Patient", BASE, f"{BASE}//Patient/amy"]
)
def test_what_is_not_below_the_base_is_not_there(send: Send, smartauth: Smartauth, fhir: FhirServer, url: str) -> None:
    assert send("GET", url).status_code == 404
    assert (smartauth.asked, fhir.asked) == ([], [])


@pytest.mark.requirement("TV-24")
def test_what_is_public_needs_no_token(protect: Protect, fhir: FhirServer) -> None:
    send = protect(public=("health",))

    assert [send("GET", path, token=None).status_code for path in ("metadata", "health", "Patient")] == [200, 200, 401]
    assert send("POST", "health", token=None).status_code == 401
    assert fhir.asked == [("GET", "/fhir/metadata"), ("GET", "/fhir/health")]


def test_a_question_has_the_request_and_the_token(protect: Protect, smartauth: Smartauth) -> None:
    send = protect(tells_addresses=True)

    send("GET", "Observation?code=a%7Cb&code=c", token="abc")

    ((path, question),) = smartauth.asked
    assert path == ONE
    assert question["subject"] == {"type": "access_token", "id": "abc"}
    assert question["context"] == {
        "base": BASE,
        "http": {"method": "GET", "url": "Observation?code=a%7Cb&code=c"},
        "understands": ["fhir-view/1"],
        "client_address": "127.0.0.1",
    }


@pytest.mark.requirement("SR-01")
def test_the_form_of_a_search_and_the_condition_of_a_create_are_told(
    send: Send, smartauth: Smartauth, fhir: FhirServer
) -> None:
    send("POST", "Observation/_search?a=b", data={"patient": "ben"})
    assert fhir.got_body == b"patient=ben"
    send("POST", "Observation", headers={"If-None-Exist": "identifier=x"}, content=b"{}")

    searched, created = (question["context"]["http"] for _, question in smartauth.asked)
    assert searched == {"method": "POST", "url": "Observation/_search?a=b", "form": "patient=ben"}
    assert created == {"method": "POST", "url": "Observation", "if_none_exist": "identifier=x"}


@pytest.mark.requirement("SR-01")
@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data; boundary=b", "application/json", "application/x-www-form-urlencoded; charset=utf-7", ""],
)
def test_a_body_that_two_servers_may_read_differently_is_415(
    send: Send, smartauth: Smartauth, fhir: FhirServer, kind: str
) -> None:
    answer = send("POST", "Observation/_search", headers={"Content-Type": kind}, content=b"--b")

    assert (answer.status_code, smartauth.asked, fhir.asked) == (415, [], [])


def test_a_form_in_utf_8_is_one_and_no_body_needs_no_kind(send: Send, fhir: FhirServer) -> None:
    kind = {"Content-Type": 'application/x-www-form-urlencoded;charset="UTF-8"'}

    assert send("POST", "Observation/_search", headers=kind, content=b"a=b").status_code == 200
    assert send("POST", "Observation/_search").status_code == 200


@pytest.mark.requirement("SR-01")
@pytest.mark.parametrize("path", ["metadata", "Observation/o", "Observation"])
def test_the_body_of_a_get_is_not_passed_on(send: Send, smartauth: Smartauth, fhir: FhirServer, path: str) -> None:
    """Some servers look for parameters there, which nobody has decided about."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for said in (smartauth.says[ONE], view(AMY)):
        smartauth.says[ONE] = said

        send("GET", path, headers=kind, content=b"_has:Provenance:target:agent=x")

        assert (fhir.got_body, fhir.got_headers["content-length"]) == (b"", "0")
        assert "transfer-encoding" not in fhir.got_headers


@pytest.mark.requirement("WR-14")
@pytest.mark.parametrize("name", ["X-Cascade", "x_cascade"])
def test_a_delete_takes_nothing_along(send: Send, smartauth: Smartauth, fhir: FhirServer, name: str) -> None:
    """HAPI FHIR deletes what refers to the resource, about which nobody has decided."""
    send("DELETE", "Patient/amy", headers={name: "delete"})

    assert "x-cascade" not in {each.replace("_", "-") for each in fhir.got_headers}


@pytest.mark.requirement("WR-15")
@pytest.mark.parametrize("name", ["X-Provenance", "x_provenance"])
def test_what_is_stored_brings_no_provenance_along(
    send: Send, smartauth: Smartauth, fhir: FhirServer, name: str
) -> None:
    """A server would store it beside the resource (FHIR http, X-Provenance), and nobody has decided about it."""
    body = b'{"resourceType": "Observation", "subject": {"reference": "Patient/amy"}}'
    arrived = []
    for said, method, path in (
        (view(AMY), "POST", "Observation"),
        (smartauth.says[ONE], "POST", "Observation"),
        (smartauth.says[ONE], "PUT", "Observation/o"),
    ):
        smartauth.says[ONE], fhir.status = said, 201
        assert send(method, path, headers={name: "{}"}, content=body).status_code == 201
        arrived.append("x-provenance" in {each.replace("_", "-") for each in fhir.got_headers})

    assert arrived == [False, False, False]


@pytest.mark.requirement("TV-29")
def test_an_underscore_in_the_name_of_a_header_hides_nothing(
    send: Send, smartauth: Smartauth, fhir: FhirServer
) -> None:
    headers = {"X_HTTP_Method_Override": "DELETE", "X-Original-URL": "/x", "X_Rewrite_URL": "/x"}

    send("POST", "Observation", headers={**headers, "If_None_Exist": "a=b"}, content=b"{}")

    assert smartauth.asked[0][1]["context"]["http"]["if_none_exist"] == "a=b"
    assert not {"x-http-method-override", "x-original-url", "x-rewrite-url"} & {
        name.replace("_", "-") for name in fhir.got_headers
    }


OF_AMY = b"""{"resourceType": "Observation", "subject": {"reference": "Patient/amy"},
    "note": [{"authorReference": {"reference": "%s"}}]}"""
NAMES = ("Content-Type", "content_type")

OTHER_ENCODINGS = [
    "application/json; charset=utf-7", 'application/fhir+json;Charset = "UTF-7"',
    "application/json; charset*=utf-8''utf-7", "application/json; charset=utf-8; charset=utf-7",
    "application/json, application/json; charset=utf-7",
    "application/json; charset=utf-16", "application/json; charset=", "application/json; charset=utf-8, text/plain",
    "application/json, text/plain", 'application/json; a=";charset=utf-8"; charset=utf-7',
    'application/json; a="\\"; b="; charset=utf-7; c="', 'application/json;Charset="UTF-7"',
]  # fmt: skip


@pytest.mark.requirement("WR-02")
@pytest.mark.parametrize("kind", OTHER_ENCODINGS)
def test_what_is_created_in_another_encoding_is_not_passed_on(
    send: Send, smartauth: Smartauth, fhir: FhirServer, kind: str
) -> None:
    """Django REST framework obeys UTF-7: there the same bytes are a record of somebody else."""
    smartauth.says[ONE] = view(AMY)
    body = b'{"resourceType": "Observation", "subject": {"reference": "Patient/amy"}}'

    answer = send("POST", "Observation", headers={"Content-Type": kind}, content=body)

    assert (answer.status_code, fhir.asked) == (415, [])


@pytest.mark.requirement("WR-02")
@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "application/xml",
        "application/fhir+xml", "text/plain", "text/json", "application/json-patch+json", "application/jsonx", "json",
        "/json", "*/*", "application/fhir+json application/json",
    ],
)  # fmt: skip
def test_what_is_created_and_not_said_to_be_json_is_not_passed_on(
    send: Send, smartauth: Smartauth, fhir: FhirServer, kind: str
) -> None:
    """Django REST framework reads what is called a form as one: there the same bytes are a record of somebody else."""
    smartauth.says[ONE] = view(AMY)
    body = OF_AMY % b"x&subject.reference=Patient/ben&y="

    answer = send("POST", "Observation", headers={"Content-Type": kind}, content=body)

    assert (answer.status_code, fhir.asked) == (415, [])


@pytest.mark.parametrize(
    "kind",
    [
        'application/fhir+json; fhirVersion=4.0; charset="UTF-8"', "application/json;charset=utf8",
        "Application/JSON ;",
        'application/fhir+json; profile="http://a.example,http://b.example"; Charset=utf-8', "application/fhir+json",
    ],
)  # fmt: skip
def test_what_is_created_in_utf_8_is_passed_on(send: Send, smartauth: Smartauth, fhir: FhirServer, kind: str) -> None:
    smartauth.says[ONE], fhir.status = view(AMY), 201
    body = b'{"resourceType": "Observation", "subject": {"reference": "Patient/amy"}}'

    assert send("POST", "Observation", headers={"Content-Type": kind}, content=body).status_code == 201
    assert fhir.got_headers["content-type"] == kind


@pytest.mark.requirement("WR-02")
def test_what_is_created_is_not_decompressed_after_it_was_judged(
    send: Send, smartauth: Smartauth, fhir: FhirServer
) -> None:
    smartauth.says[ONE], fhir.status = view(AMY), 201
    kind = {"Content-Type": "application/json", "Content-Encoding": "deflate"}

    assert send("POST", "Observation", headers=kind, content=OF_AMY % b"Practitioner/p").status_code == 201
    assert "content-encoding" not in fhir.got_headers


def test_what_is_created_and_not_said_to_be_anything_is_said_to_be_json(
    send: Send, smartauth: Smartauth, fhir: FhirServer
) -> None:
    smartauth.says[ONE], fhir.status = view(AMY), 201

    assert send("POST", "Observation", content=OF_AMY % b"Practitioner/p").status_code == 201
    assert fhir.got_headers["content-type"] == "application/fhir+json"


@pytest.mark.requirement("WR-02")
@pytest.mark.parametrize(
    "kinds",
    [
        ["application/json", "application/json"],
        ['application/json; a="', '; charset=utf-7; b="'],
        ["application/json", ""],
    ],
)
def test_of_two_content_types_nobody_knows_which_counts(
    smartauth: Smartauth, fhir: FhirServer, kinds: list[str]
) -> None:
    """A server of ASGI hands on both; by WSGI there is one."""
    enforcement = Enforcement(base=BASE, smartauth=smartauth.url, client_id="rs", client_secret="secret", seconds=60)
    app = AsgiMiddleware(fhir.asgi, enforcement)
    smartauth.says[ONE] = view(AMY)
    headers = [("Authorization", "Bearer t"), *((name, kind) for name, kind in zip(NAMES, kinds, strict=True))]

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(cast(Any, app))) as client:
            return await client.post(f"{BASE}/Observation", headers=headers, content=OF_AMY % b"Practitioner/p")

    assert (asyncio.run(asked()).status_code, fhir.asked) == (415, [])


def test_a_search_that_became_a_get_has_no_content_type(send: Send, smartauth: Smartauth, fhir: FhirServer) -> None:
    smartauth.says[ONE] = view(AMY)

    send("POST", "Observation/_search", data={"code": "x"})

    assert not fhir.got_headers.get("content-type")


@pytest.mark.parametrize("length", ["", "-1", "many", "\u00b2"])
def test_a_body_without_a_length_is_none_where_nothing_ends_it(length: str) -> None:
    """To read on would wait for a client that sends no more."""
    assert read_request_body({"CONTENT_LENGTH": length, "wsgi.input": BytesIO(b"a=b")}, 9) == b""
    assert read_request_body({"wsgi.input_terminated": True, "wsgi.input": BytesIO(b"a=b")}, 9) == b"a=b"


def test_a_form_longer_than_any_is_413(send: Send, smartauth: Smartauth) -> None:
    assert send("POST", "Observation/_search", content=b"a" * 65_537).status_code == 413
    assert smartauth.asked == []


@pytest.mark.requirement("HI-01")
def test_a_refusal_is_told_word_for_word(send: Send, smartauth: Smartauth, fhir: FhirServer) -> None:
    told = {"status": 403, "headers": {"WWW-Authenticate": 'Bearer error="insufficient_scope"', "X-Other": "no"}}
    smartauth.says[ONE] = {
        "decision": False,
        "context": {"http": told, "outcome": {"resourceType": "OperationOutcome"}},
    }

    answer = send("GET", "Observation")

    assert answer.status_code == 403
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'
    assert "X-Other" not in answer.headers
    assert answer.json() == {"resourceType": "OperationOutcome"}
    assert fhir.asked == []


@pytest.mark.requirement("TV-29")
def test_a_whole_yes_leaves_request_and_answer_alone_but_for_another_method(send: Send, fhir: FhirServer) -> None:
    fhir.headers |= {"X-Total-Count": "3"}
    fhir.says = b"<anything/>"
    override = dict.fromkeys(("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"), "DELETE")

    answer = send("PUT", "Observation/o?_x=1", content=b"whatever", headers={**override, "If-Match": "1"})

    assert fhir.asked == [("PUT", "/fhir/Observation/o?_x=1")]
    assert fhir.got_body == b"whatever"
    assert fhir.got_headers["if-match"] == "1"
    assert not {name.lower() for name in override} & set(fhir.got_headers)
    assert (answer.content, answer.headers["X-Total-Count"]) == (b"<anything/>", "3")
    assert fhir.decision.claims == {"sub": "amy"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "Observation/o"),
        ("PATCH", "Observation/o"),
        ("DELETE", "Observation/o"),
        ("GET", "Observation/_history"),
    ],
)
def test_what_no_view_can_be_applied_to_is_403(
    send: Send, smartauth: Smartauth, fhir: FhirServer, method: str, path: str
) -> None:
    smartauth.says[ONE] = view(AMY)

    assert send(method, path).status_code == 403
    assert fhir.asked == []


@pytest.mark.requirement("WR-01", "WR-02", "BT-05")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"resourceType": "Observation", "subject": {"reference": "Patient/amy"}, "note": "x"}', 201),
        (b'{"resourceType": "Observation", "subject": {"reference": "Patient/ben"}}', 403),
        (b'{"resourceType": "Observation", "subject": 1, "subject": {"reference": "Patient/amy"}}', 400),
        (b"<Observation/>", 400),
        (OF_AMY % b"https://elsewhere.example.org/Patient/ben", 201),
        (OF_AMY.replace(b'"%s"', b'{"reference": "Practitioner/p", "display": "Dr ?"}'), 201),
        (OF_AMY % b"Patient?identifier=1", 403),
        (OF_AMY % b"/Patient?identifier=1", 403),
        (OF_AMY % b"https://elsewhere.example.org/Patient?identifier=1", 403),
        (OF_AMY % b"urn:x/Patient?identifier=1", 403),
        (OF_AMY % b"a:/Patient?identifier=1", 403),
        (OF_AMY % b"#/Patient?identifier=1", 403),
        (OF_AMY % b"Patient%3fidentifier=1", 403),
    ],
    ids=[
        "own", "another's", "a name twice", "no JSON", "elsewhere", "a reference in a reference", "a search",
        "a search from the root", "a search elsewhere", "a search of a name", "a search of a scheme",
        "a search of a fragment", "a search in percent",
    ],
)  # fmt: skip
def test_what_is_created_is_judged_before_the_server_sees_it(
    send: Send, smartauth: Smartauth, fhir: FhirServer, body: bytes, status: int
) -> None:
    smartauth.says[ONE], fhir.status = view(AMY), 201

    assert send("POST", "Observation", content=body).status_code == status
    assert [method for method, _ in fhir.asked] == (["POST"] if status == 201 else [])
    if status == 201:
        assert fhir.got_body == body
        (entry,) = smartauth.asked[1][1]["evaluations"]
        assert entry["resource"]["properties"]["content"].keys() == {"resourceType", "subject"}


@pytest.mark.requirement("DS-01")
def test_the_document_is_smartauths_and_kept_but_an_error_is_not(send: Send, smartauth: Smartauth) -> None:
    right, path = smartauth.says[DOCUMENT], ".well-known/smart-configuration"
    found: list[Any] = []
    for said in (Said(404), Said(body=b"[]"), right, Said(500)):
        smartauth.says[DOCUMENT] = said
        found.append(send("GET", path, token=None))

    assert [each.status_code for each in found] == [503, 503, 200, 200]
    assert found[0].headers["Retry-After"] == "5"
    assert found[3].json() == right
    assert found[3].headers["Access-Control-Allow-Origin"] == "*"
