"""The request as it arrives: what is shown as a page, what the app hears, what may wait for a person."""

import json
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import OperationalError

from oauth.models import Client, Code, FhirServer, PendingRequest
from smart.digests import sha256_hex
from tests.conftest import BASE, CHALLENGE, REDIRECT_URI, App
from tests.fixture_types import MakeClient, MakePerson
from tests.oauth.visitor import FORM, Visitor, answer, asked

ISSUER = "http://127.0.0.1:8000"


def waiting(client: Any) -> int:
    return PendingRequest.objects.filter(client=client).count()


def codes(client: Any) -> int:
    return Code.objects.filter(authorization__client=client).count()


def is_page(response: Any, status: int = 400) -> None:
    """An error page: no redirect, never stored, no stack trace."""
    assert response.status_code == status, response.text
    assert "Location" not in response.headers
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Traceback" not in response.text
    assert "<h1>We stopped this request</h1>" in response.text


@pytest.mark.requirement("E1", "AZ-06")
@pytest.mark.parametrize("client_id", [None, "", "nobody-knows-me", "x" * 5000, "ü\u202e", "' OR 1=1 --"])
def test_a_client_that_nobody_knows_is_told_on_a_page(
    visitor: Visitor, make_client: MakeClient, client_id: str | None
) -> None:
    before = PendingRequest.objects.count()

    response = visitor.ask(make_client(), client_id=client_id)

    is_page(response)
    assert "This server does not know the app that sent you here." in response.text
    assert PendingRequest.objects.count() == before


@pytest.mark.requirement("E1")
def test_a_disabled_client_is_not_known_any_more(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client(enabled=0)

    response = visitor.ask(client)

    is_page(response)
    assert client.name not in response.text
    assert waiting(client) == 0


@pytest.mark.requirement("E2", "AZ-06")
@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_who_asks_and_where_to_answer_are_said_once(visitor: Visitor, make_client: MakeClient, name: str) -> None:
    client = make_client()

    response = visitor.ask(client, **{name: [asked(client)[name]] * 2})

    is_page(response)
    assert "contradicts itself" in response.text
    assert waiting(client) == 0


@pytest.mark.requirement("E3", "AZ-06")
@pytest.mark.parametrize("redirect_uri", [None, ""])
def test_a_missing_redirect_uri_is_not_guessed(
    visitor: Visitor, make_client: MakeClient, redirect_uri: str | None
) -> None:
    client = make_client()

    response = visitor.ask(client, redirect_uri=redirect_uri)

    is_page(response)
    assert "did not say where to send you back" in response.text
    assert waiting(client) == 0


@pytest.mark.requirement("E35", "AZ-06")
@pytest.mark.parametrize("beside", [{}, {"redirect_uri": None, "response_type": None, "scope": None}])
def test_a_pushed_request_that_nobody_knows_leads_nowhere(
    visitor: Visitor, make_client: MakeClient, beside: dict[str, str | None]
) -> None:
    client = make_client()

    response = visitor.ask(client, request_uri="urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc", **beside)

    is_page(response)
    assert "unknown, used or too old" in response.text
    assert "invalid_request_uri" in response.text
    assert waiting(client) == 0


REGISTERED = "https://app.example/cb"
DIFFERENT = {
    "case of the path": "https://app.example/CB",
    "case of the host": "https://APP.example/cb",
    "final slash": "https://app.example/cb/",
    "default port": "https://app.example:443/cb",
    "another port": "https://app.example:8443/cb",
    "extra query": "https://app.example/cb?x=1",
    "dots": "https://app.example/a/../cb",
    "encoded dots": "https://app.example/%2e/cb",
    "user info": "https://app.example@evil.example/cb",
    "subdomain": "https://evil.app.example/cb",
    "http for https": "http://app.example/cb",
    "longer host": "https://app.example.evil.example/cb",
    "relative": "/cb",
    "markup": 'https://app.example/cb"><script>alert(1)</script>',
}


@pytest.mark.requirement("E4", "AZ-05", "AZ-06")
@pytest.mark.parametrize("redirect_uri", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_a_redirect_uri_is_the_registered_one_to_the_letter(
    visitor: Visitor, make_client: MakeClient, redirect_uri: str
) -> None:
    client = make_client(redirect_uris=REGISTERED)

    response = visitor.ask(client, redirect_uri=redirect_uri)

    is_page(response)
    assert "an address that is not on its list" in response.text
    assert "<script" not in response.text
    assert waiting(client) == 0


@pytest.mark.requirement("E5", "AZ-05")
def test_another_clients_redirect_uri_is_as_strange_as_any(visitor: Visitor, make_client: MakeClient) -> None:
    make_client(redirect_uris="https://other.example/cb")
    client = make_client(redirect_uris=REGISTERED)

    response = visitor.ask(client, redirect_uri="https://other.example/cb")

    is_page(response)
    assert waiting(client) == 0


@pytest.mark.requirement("E6", "AZ-05")
@pytest.mark.parametrize(("kind", "status"), [("native", 303), ("web", 400)])
def test_only_a_native_app_may_come_back_at_another_port_of_loopback(
    visitor: Visitor, make_client: MakeClient, kind: str, status: int
) -> None:
    client = make_client(redirect_uris="http://127.0.0.1:4999/cb", application_type=kind)

    response = visitor.ask(client, redirect_uri="http://127.0.0.1:51234/cb")

    assert response.status_code == status
    assert waiting(client) == (1 if status == 303 else 0)


@pytest.mark.requirement("E7", "AZ-06")
@pytest.mark.parametrize("uri", ["https://app.example/cb#x", "javascript:alert(1)", "data:text/html,x"])
def test_a_dangerous_redirect_uri_is_refused_even_if_somebody_registered_it(
    visitor: Visitor, make_client: MakeClient, uri: str
) -> None:
    client = make_client(redirect_uris=uri)

    response = visitor.ask(client, redirect_uri=uri)

    is_page(response)
    assert waiting(client) == 0


REFUSED = [
    pytest.param({"response_type": None}, "invalid_request", id="E8", marks=pytest.mark.requirement("E8", "AZ-01")),
    pytest.param(
        {"response_type": "token"},
        "unsupported_response_type",
        id="E9 token",
        marks=pytest.mark.requirement("E9", "AZ-01"),
    ),
    pytest.param(
        {"response_type": "code id_token"},
        "unsupported_response_type",
        id="E9 hybrid",
        marks=pytest.mark.requirement("E9", "AZ-01"),
    ),
    pytest.param(
        {"response_type": "\u202ecode"},
        "unsupported_response_type",
        id="E9 garbage",
        marks=pytest.mark.requirement("E9", "AZ-01"),
    ),
    pytest.param(
        {"scope": ["patient/Observation.rs", "patient/Condition.rs"]},
        "invalid_request",
        id="E11",
        marks=pytest.mark.requirement("E11"),
    ),
    pytest.param({"scope": None}, "invalid_scope", id="E13 missing", marks=pytest.mark.requirement("E13")),
    pytest.param({"scope": "  "}, "invalid_scope", id="E13 blank", marks=pytest.mark.requirement("E13")),
    pytest.param(
        {"scope": 'patient/Observation.rs "x"'}, "invalid_scope", id="E14", marks=pytest.mark.requirement("E14")
    ),
    pytest.param(
        {"scope": "nonsense user/Observation.rs"}, "invalid_scope", id="E16", marks=pytest.mark.requirement("E16")
    ),
    pytest.param({"scope": "system/Observation.rs"}, "invalid_scope", id="E17", marks=pytest.mark.requirement("E17")),
    pytest.param({"aud": None}, "invalid_request", id="E18", marks=pytest.mark.requirement("E18", "AZ-08")),
    pytest.param(
        {"aud": "https://elsewhere.example/fhir"},
        "invalid_request",
        id="E19",
        marks=pytest.mark.requirement("E19", "AZ-08"),
    ),
    pytest.param(
        {"aud": f"{BASE}/Patient"}, "invalid_request", id="E19 prefix", marks=pytest.mark.requirement("E19", "AZ-08")
    ),
    pytest.param(
        {"resource": "https://elsewhere.example/fhir"},
        "invalid_target",
        id="E20 unknown",
        marks=pytest.mark.requirement("E20"),
    ),
    pytest.param({"code_challenge": None}, "invalid_request", id="E21", marks=pytest.mark.requirement("E21", "AZ-07")),
    pytest.param(
        {"code_challenge_method": "plain"},
        "invalid_request",
        id="E22 plain",
        marks=pytest.mark.requirement("E22", "AZ-07"),
    ),
    pytest.param(
        {"code_challenge_method": None},
        "invalid_request",
        id="E22 missing",
        marks=pytest.mark.requirement("E22", "AZ-07"),
    ),
    pytest.param(
        {"code_challenge_method": "s256"},
        "invalid_request",
        id="E22 lower case",
        marks=pytest.mark.requirement("E22", "AZ-07"),
    ),
    pytest.param(
        {"code_challenge": CHALLENGE[:-1]},
        "invalid_request",
        id="E23 short",
        marks=pytest.mark.requirement("E23", "AZ-07"),
    ),
    pytest.param(
        {"code_challenge": CHALLENGE + "="},
        "invalid_request",
        id="E23 padded",
        marks=pytest.mark.requirement("E23", "AZ-07"),
    ),
    pytest.param(
        {"request": "eyJhbGciOiJub25lIn0.e30."},
        "request_not_supported",
        id="E34 request",
        marks=pytest.mark.requirement("E34"),
    ),
    pytest.param(
        {"request_uri": "urn:x"},
        "request_uri_not_supported",
        id="E34 request_uri",
        marks=pytest.mark.requirement("E34"),
    ),
    pytest.param(
        {"registration": "{}"},
        "registration_not_supported",
        id="E34 registration",
        marks=pytest.mark.requirement("E34"),
    ),
    pytest.param(
        {"response_mode": "fragment"}, "invalid_request", id="E36 fragment", marks=pytest.mark.requirement("E36")
    ),
    pytest.param(
        {"response_mode": "web_message"}, "invalid_request", id="E36 unknown", marks=pytest.mark.requirement("E36")
    ),
]


@pytest.mark.requirement("AZ-06", "AZ-18", "SB-02")
@pytest.mark.parametrize(("changes", "error"), REFUSED)
def test_what_is_wrong_is_told_to_the_app(
    visitor: Visitor, make_client: MakeClient, changes: dict[str, Any], error: str
) -> None:
    client = make_client()

    response = visitor.ask(client, **changes)

    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"{REDIRECT_URI}?")
    assert "#" not in response.headers["Location"]
    told = answer(response)
    assert (told["error"], told["state"], told["iss"]) == (error, "state-of-the-app", ISSUER)
    assert "code" not in told
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert (waiting(client), codes(client)) == (0, 0)


@pytest.mark.requirement("E12")
@pytest.mark.parametrize("state", [None, ""])
def test_a_missing_state_is_told_without_one(visitor: Visitor, make_client: MakeClient, state: str | None) -> None:
    client = make_client()

    response = visitor.ask(client, state=state)

    assert answer(response)["error"] == "invalid_request"
    assert "state" not in answer(response)
    assert waiting(client) == 0


@pytest.mark.requirement("E19", "AZ-08")
def test_a_base_that_this_client_may_not_use_is_as_unknown_as_any(
    visitor: Visitor, make_client: MakeClient, other_fhir_server: Any
) -> None:
    client = make_client()

    response = visitor.ask(client, aud=other_fhir_server.base)

    assert answer(response)["error"] == "invalid_request"
    assert (waiting(client), codes(client)) == (0, 0)


@pytest.mark.requirement("E20")
def test_resource_and_aud_must_agree(visitor: Visitor, make_client: MakeClient, other_fhir_server: Any) -> None:
    client = make_client()
    client.fhir_servers.add(other_fhir_server)

    response = visitor.ask(client, resource=other_fhir_server.base)

    assert answer(response)["error"] == "invalid_request"
    assert waiting(client) == 0


@pytest.mark.requirement("E15", "E17", "WF-09")
@pytest.mark.parametrize(
    "scope",
    [
        "patient/Observation.rs nonsense patient/Condition.rs",
        "patient/Observation.rs system/*.rs patient/Condition.rs",
        "patient/Observation.rs patient/Observation.rs patient/Condition.rs",
    ],
    ids=["unknown", "system", "named twice"],
)
def test_what_cannot_be_granted_is_left_out(visitor: Visitor, make_client: MakeClient, scope: str) -> None:
    client = make_client()

    response = visitor.ask(client, scope=scope)

    assert response.status_code == 303
    assert kept(client)["asked"]["scope"] == "patient/Observation.rs patient/Condition.rs"


@pytest.mark.requirement("E15")
def test_a_strict_client_hears_of_every_scope_that_cannot_be_granted(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client(refuses_unknown_scopes=1)

    response = visitor.ask(client, scope="patient/Observation.rs nonsense")

    assert answer(response)["error"] == "invalid_scope"
    assert waiting(client) == 0


@pytest.mark.requirement("WF-09", "AZ-08")
@pytest.mark.parametrize("aud", [BASE, f"{BASE}/", BASE.replace("http://", "HTTP://")])
def test_the_spelling_of_the_same_base_does_not_matter(visitor: Visitor, make_client: MakeClient, aud: str) -> None:
    client = make_client()

    response = visitor.ask(client, aud=aud)

    assert response.status_code == 303
    assert kept(client)["asked"]["aud"] == BASE


def kept(client: Any) -> dict[str, Any]:
    """What waits for a person."""
    found: dict[str, Any] = json.loads(PendingRequest.objects.get(client=client).request)
    return found


@pytest.mark.requirement("AZ-02", "AZ-20", "AZ-21")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_good_request_waits_under_a_handle_and_a_cookie_that_only_their_digests_remember(
    visitor: Visitor, make_client: MakeClient, method: str
) -> None:
    client = make_client()
    body = urlencode(asked(client))

    if method == "GET":
        response = visitor.request("GET", f"/o/authorize?{body}")
    else:
        cross_site = {**FORM, "Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}
        response = visitor.request("POST", "/o/authorize", content=body, headers=cross_site)

    assert response.status_code == 303
    path = response.headers["Location"]
    cookie = response.headers["Set-Cookie"]
    assert f"Path={path}" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    row = PendingRequest.objects.get(client=client)
    handle, secret = path.removeprefix("/o/authorize/"), cookie.partition("=")[2].partition(";")[0]
    assert (row.handle_digest, row.cookie_digest) == (sha256_hex(handle), sha256_hex(secret))
    assert handle not in row.request
    assert secret not in row.request
    assert row.expires_at - row.created_at == 600 * 1_000_000


@pytest.mark.requirement("AZ-02")
def test_a_post_is_judged_by_its_body_alone(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client()
    body = urlencode(asked(client, response_type=None))

    response = visitor.request("POST", "/o/authorize?response_type=code", content=body, headers=FORM)

    assert answer(response)["error"] == "invalid_request"
    assert waiting(client) == 0


@pytest.mark.requirement("E37", "AZ-02")
@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_only_a_form_is_read(visitor: Visitor, make_client: MakeClient, content_type: str) -> None:
    client = make_client()
    headers = {"Content-Type": content_type} if content_type else {}

    response = visitor.request("POST", "/o/authorize", content=urlencode(asked(client)), headers=headers)

    is_page(response, 415)
    assert waiting(client) == 0


@pytest.mark.requirement("E38")
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_no_other_method_is_served_and_none_across_origins(
    visitor: Visitor, make_client: MakeClient, method: str
) -> None:
    client = make_client()
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}

    response = visitor.request(method, f"/o/authorize?{urlencode(asked(client))}", headers=headers)

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, POST"
    assert not [name for name in response.headers if name.lower().startswith("access-control-")]
    assert waiting(client) == 0


UNREADABLE = {
    "too long": ("GET", lambda good: good + "&x=" + "x" * 9000, 414),
    "NUL": ("GET", lambda good: good + "&nonce=%00", 400),
    "NUL in the client": ("GET", lambda good: "client_id=%00", 400),
    "invalid UTF-8": ("GET", lambda good: good + "&nonce=%ff", 400),
    "thousand parameters": ("GET", lambda good: good + "&a=1" * 1000, 400),
    "NUL in a body": ("POST", lambda good: good + "&nonce=%00", 400),
    "invalid UTF-8 in a body": ("POST", lambda good: good + "&nonce=%C3%28", 400),
    "body too long": ("POST", lambda good: good + "&x=" + "x" * 200_000, 413),
}


@pytest.mark.requirement("E39", "AZ-24")
@pytest.mark.parametrize(("method", "spoil", "status"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_told_on_a_page(
    visitor: Visitor, make_client: MakeClient, method: str, spoil: Callable[[str], str], status: int
) -> None:
    client = make_client()
    spoilt = spoil(urlencode(asked(client)))

    if method == "GET":
        response = visitor.request("GET", f"/o/authorize?{spoilt}")
    else:
        response = visitor.request("POST", "/o/authorize", content=spoilt, headers=FORM)

    is_page(response, status)
    assert waiting(client) == 0


@pytest.mark.requirement("E39")
def test_raw_bytes_in_a_body_are_told_on_a_page(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client()
    body = urlencode(asked(client)).encode() + b"&nonce=\xff\x00"

    response = visitor.request("POST", "/o/authorize", content=body, headers=FORM)

    is_page(response, 400)
    assert waiting(client) == 0


@pytest.mark.requirement("AZ-24")
def test_a_long_list_of_scopes_travels_in_a_post(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client()
    scope = "patient/Observation.rs " + " ".join(f"unknown-{number}" for number in range(5000))

    response = visitor.request("POST", "/o/authorize", content=urlencode(asked(client, scope=scope)), headers=FORM)

    assert response.status_code == 303
    assert waiting(client) == 1


@pytest.mark.requirement("E42")
def test_an_internal_failure_is_told_to_the_app(visitor: Visitor, make_client: MakeClient) -> None:
    broken = FhirServer.objects.create(base="https://broken.example/fhir", name="Broken", version="no-such-version")
    client = make_client()
    client.fhir_servers.add(broken)

    response = visitor.ask(client, aud=broken.base)

    assert response.status_code == 303
    assert answer(response)["error"] == "server_error"
    assert answer(response)["state"] == "state-of-the-app"
    assert waiting(client) == 0
    broken.delete()


def no_database(*_: object, **__: object) -> None:
    raise OperationalError("the database does not answer")


@pytest.mark.requirement("E42")
def test_a_database_that_fails_later_is_told_to_the_app(
    visitor: Visitor, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    monkeypatch.setattr("oauth.authorization.authorize.store", no_database)

    response = visitor.ask(client)

    assert answer(response)["error"] == "temporarily_unavailable"
    assert answer(response)["state"] == "state-of-the-app"


@pytest.mark.requirement("E42")
def test_a_database_that_does_not_answer_at_all_is_a_page_to_try_again(
    visitor: Visitor, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    monkeypatch.setattr(Client, "of", no_database)

    response = visitor.ask(client)

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "We cannot answer just now." in response.text
    assert "Nothing was shared." in response.text


@pytest.mark.requirement("AZ-13")
def test_a_client_that_nobody_approved_hears_of_its_mistake_after_a_login(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client(approved=0)

    first = visitor.ask(client, scope="nonsense")
    page = visitor.follow(first)

    assert first.headers["Location"].startswith("/o/authorize/")
    assert page.status_code == 200
    told = visitor.sign_in(page, make_person("amy"))
    assert told.status_code == 303
    assert told.headers["Location"].startswith(f"{REDIRECT_URI}?")
    assert answer(told)["error"] == "invalid_scope"
    assert answer(told)["state"] == "state-of-the-app"
    assert codes(client) == 0


@pytest.mark.requirement("SB-08", "E131", "SB-02")
def test_the_host_that_a_request_names_changes_no_issuer(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client()
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}

    response = visitor.request("GET", f"/o/authorize?{urlencode(asked(client, scope='x'))}", headers=headers)

    assert answer(response)["iss"] == ISSUER


@pytest.mark.requirement("SB-08", "E131")
@pytest.mark.parametrize("path", ["/login", "/o/authorize", "/", "/fhir/r4/Patient/amy", "/admin/login/"])
def test_a_host_that_is_not_ours_reaches_no_page(visitor: Visitor, path: str) -> None:
    response = visitor.request("GET", path, headers={"Host": "rebind.evil.example"})

    assert response.status_code == 400
    assert "evil.example" not in response.text


@pytest.mark.requirement("SB-01")
def test_nothing_of_ours_redirects_to_an_address_it_is_given(visitor: Visitor, make_client: MakeClient) -> None:
    evil = quote("https://evil.example/", safe="")

    for path in (f"/login?next={evil}", f"/login?to={evil}", f"/logout?next={evil}", f"/admin/login/?next={evil}"):
        response = visitor.request("GET", path)
        assert not response.headers.get("Location", "/").startswith(("http", "//"))
        assert "evil.example" not in response.headers.get("Location", "")


def test_in_development_the_page_tells_which_rule_refused(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client(redirect_uris=REGISTERED)

    response = visitor.ask(client, redirect_uri="https://app.example/CB")

    text = unescape(response.text)
    assert "Which rule refused" in text
    assert "https://app.example/<mark>CB</mark>" in text
    assert REGISTERED in text


def test_elsewhere_the_page_tells_nothing_about_rules(visitor: Visitor, make_client: MakeClient, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False
    client = make_client(redirect_uris=REGISTERED)

    response = visitor.ask(client, redirect_uri="https://app.example/CB")

    is_page(response)
    assert "Which rule refused" not in response.text
    assert REGISTERED not in response.text
    assert "Development" not in response.text


@pytest.mark.requirement("SB-06", "AZ-19", "E41")
def test_error_pages_carry_the_same_protection(app: App) -> None:
    response = app.get("/o/authorize")

    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.requirement("SB-06")
@pytest.mark.parametrize(("path", "kind"), [("/no-such-page", "text/html"), ("/o/no-such", "application/json")])
def test_what_is_not_there_is_said_in_the_tongue_of_the_caller(app: App, path: str, kind: str) -> None:
    response = app.get(path)

    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith(kind)
