"""How an authorization request arrives: methods, bodies, hosts, failures, and the pages that tell of them."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import OperationalError
from django.http import HttpRequest
from django.test import RequestFactory

from audit.models import OutboxEvent
from oauth.authorization.authorize import (
    _hinted_subject,
    _parameters,
    _policy,
    _refuse_silent_without_session,
    authorize,
)
from oauth.models import Client, FhirServer, PendingRequest
from smart.authorize.error_pages import Unredirectable
from smart.authorize.unvalidated_request import ClientPolicy
from smart.digests import sha256_hex
from smart.http.errors import LoginRequired
from smart.http.media_types import FORM as FORM_TYPE
from smart.http.parameters import Parameters
from smart.openid.standard_claims import IdTokenHint
from tests.conftest import REDIRECT_URI, App
from tests.fixture_types import MakeClient, MakePerson, MakeVisitor
from tests.oauth.authorization.authorize_pages import (
    ISSUER,
    REGISTERED,
    assert_error_page,
    code_count,
    events_of,
    page_reference,
    pending_count,
)
from tests.oauth.authorization.waiting_requests import asked, browser
from tests.oauth.visitor import FORM, Visitor, good_request, redirect_query


@pytest.mark.requirement("AZ-02", "AZ-20", "AZ-21")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_good_request_waits_under_a_handle_and_a_cookie_that_only_their_digests_remember(
    visitor: Visitor, make_client: MakeClient, method: str
) -> None:
    client = make_client()
    body = urlencode(good_request(client))

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
    body = urlencode(good_request(client, response_type=None))

    response = visitor.request("POST", "/o/authorize?response_type=code", content=body, headers=FORM)

    assert redirect_query(response)["error"] == "invalid_request"
    assert pending_count(client) == 0


@pytest.mark.requirement("E37", "AZ-02")
@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_only_a_form_is_read(visitor: Visitor, make_client: MakeClient, content_type: str) -> None:
    client = make_client()
    headers = {"Content-Type": content_type} if content_type else {}

    response = visitor.request("POST", "/o/authorize", content=urlencode(good_request(client)), headers=headers)

    assert_error_page(response, 415)
    assert pending_count(client) == 0


@pytest.mark.requirement("E38")
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_no_other_method_is_served_and_none_across_origins(
    visitor: Visitor, make_client: MakeClient, method: str
) -> None:
    client = make_client()
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}

    response = visitor.request(method, f"/o/authorize?{urlencode(good_request(client))}", headers=headers)

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, POST"
    reason = response.headers["X-Smartauth-Reason"]
    assert reason.startswith("AZ-02 only GET and POST are allowed here (")
    assert method == "HEAD" or reason.endswith(f"({page_reference(response)})")
    assert not [name for name in response.headers if name.lower().startswith("access-control-")]
    assert pending_count(client) == 0


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
    spoilt = spoil(urlencode(good_request(client)))

    if method == "GET":
        response = visitor.request("GET", f"/o/authorize?{spoilt}")
    else:
        response = visitor.request("POST", "/o/authorize", content=spoilt, headers=FORM)

    assert_error_page(response, status)
    assert pending_count(client) == 0


@pytest.mark.requirement("E39")
def test_raw_bytes_in_a_body_are_told_on_a_page(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client()
    body = urlencode(good_request(client)).encode() + b"&nonce=\xff\x00"

    response = visitor.request("POST", "/o/authorize", content=body, headers=FORM)

    assert_error_page(response, 400)
    assert [event.reason for event in events_of(page_reference(response))] == ["the request cannot be read"]
    assert pending_count(client) == 0


@pytest.mark.requirement("E39")
def test_a_query_that_is_no_latin_is_read_as_question_marks() -> None:
    request = browser()
    request.method, request.META["QUERY_STRING"] = "GET", "client_id=\u20ac"

    page = authorize(request)

    assert page.status_code == 400
    assert "This server does not know the app that sent you here." in page.content.decode()


@pytest.mark.requirement("AZ-24")
def test_a_long_list_of_scopes_travels_in_a_post(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client()
    scope = "patient/Observation.rs " + " ".join(f"unknown-{number}" for number in range(5000))

    response = visitor.request(
        "POST", "/o/authorize", content=urlencode(good_request(client, scope=scope)), headers=FORM
    )

    assert response.status_code == 303
    assert pending_count(client) == 1


@pytest.mark.requirement("E42")
def test_an_internal_failure_is_told_to_the_app(visitor: Visitor, make_client: MakeClient) -> None:
    broken = FhirServer.objects.create(base="https://broken.example/fhir", name="Broken", version="no-such-version")
    client = make_client()
    client.fhir_servers.add(broken)

    response = visitor.ask(client, aud=broken.base)

    assert response.status_code == 303
    told = redirect_query(response)
    assert (told["error"], told["error_description"]) == ("server_error", "something failed here, try again later")
    assert told["state"] == "state-of-the-app"
    assert pending_count(client) == 0
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

    told = redirect_query(response)
    assert (told["error"], told["state"]) == ("temporarily_unavailable", "state-of-the-app")
    assert told["error_description"] == "something failed here, try again later"


@pytest.mark.requirement("E42")
def test_a_database_that_does_not_answer_at_all_is_a_page_to_try_again(
    visitor: Visitor, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    monkeypatch.setattr(Client, "of", no_database)

    response = visitor.ask(client)

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "<h1>We cannot answer just now</h1>" in response.text
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
    assert redirect_query(told)["error"] == "invalid_scope"
    assert redirect_query(told)["state"] == "state-of-the-app"
    assert code_count(client) == 0


@pytest.mark.requirement("SB-08", "E131", "SB-02")
def test_the_host_that_a_request_names_changes_no_issuer(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client()
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}

    response = visitor.request("GET", f"/o/authorize?{urlencode(good_request(client, scope='x'))}", headers=headers)

    assert redirect_query(response)["iss"] == ISSUER


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
        assert response.status_code in (200, 302, 303, 405)
        assert not response.headers.get("Location", "/").startswith(("http", "//"))
        assert "evil.example" not in response.headers.get("Location", "")


def test_in_development_the_page_tells_which_rule_refused(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client(redirect_uris=REGISTERED)

    response = visitor.ask(client, redirect_uri="https://app.example/CB")

    text = unescape(response.text)
    assert "Which rule refused" in text
    assert re.search(r'<a href="/explain/[\w-]+">Explain [\w-]+</a>', text)
    assert "https://app.example/<mark>CB</mark>" in text
    assert f'<strong dir="auto">{client.name}</strong><br><span class="hint">sent a request' in text
    assert REGISTERED in text


def test_elsewhere_the_page_tells_nothing_about_rules(visitor: Visitor, make_client: MakeClient, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False
    client = make_client(redirect_uris=REGISTERED)

    response = visitor.ask(client, redirect_uri="https://app.example/CB")

    assert_error_page(response)
    assert "Which rule refused" not in response.text
    assert "/explain" not in response.text
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


# What strangers may make the server store -----------------------------------------------------------------------------


@pytest.mark.requirement("SD-20")
def test_one_address_lets_so_many_requests_wait_and_no_more(
    visitor: Visitor, make_visitor: MakeVisitor, make_client: MakeClient, settings: Any
) -> None:
    settings.SMARTAUTH_PENDING_REQUESTS = 3
    client = make_client()

    answers = [visitor.ask(client) for _ in range(5)]

    assert [each.headers["Location"].startswith("/o/authorize/") for each in answers] == [True] * 3 + [False] * 2
    told = redirect_query(answers[-1])
    assert told["error"] == "temporarily_unavailable"
    assert told["error_description"].startswith("too many requests of this address wait for an answer")
    assert pending_count(client) == 3
    assert make_visitor().ask(client).headers["Location"].startswith("/o/authorize/")


@pytest.mark.requirement("SD-20")
def test_a_request_that_somebody_signed_in_for_and_answered_makes_room_and_no_other(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, settings: Any
) -> None:
    settings.SMARTAUTH_PENDING_REQUESTS = 1
    client, person = make_client(), make_person("amy")

    visitor.allow(visitor.reach_consent(client, person))
    again = visitor.ask(client)
    with_sign_in = PendingRequest.objects.filter(client=client, answered_at__gt=0).count()
    PendingRequest.objects.filter(client=client, answered_at=0).update(answered_at=1)  # without a sign-in
    refused = visitor.ask(client)

    assert with_sign_in == 1
    assert again.headers["Location"].startswith("/o/authorize/")
    assert redirect_query(refused)["error"] == "temporarily_unavailable"


@pytest.mark.requirement("SD-20", "AZ-13")
def test_where_no_room_is_left_a_client_that_nobody_approved_gets_a_page_and_nothing_is_kept(
    visitor: Visitor, make_client: MakeClient, settings: Any
) -> None:
    settings.SMARTAUTH_PENDING_REQUESTS = 1
    client = make_client(approved=0)
    visitor.ask(client, scope="nonsense/*")

    crowded = [visitor.ask(client, scope="nonsense/*"), visitor.ask(client)]

    assert [(page.status_code, page.headers["Retry-After"]) for page in crowded] == [(503, "600")] * 2
    assert "Open the app again in a few minutes." in crowded[0].text
    assert [event.case for event in events_of(page_reference(crowded[0]))] == ["E16"]
    assert pending_count(client) == 1


@pytest.mark.requirement("E39", "AZ-24")
def test_a_state_that_is_too_long_is_told_on_a_page_and_not_kept(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client()

    longest, longer = visitor.ask(client, state="x" * 2048), visitor.ask(client, state="x" * 2049)

    assert longest.headers["Location"].startswith("/o/authorize/")
    assert longer.status_code == 414
    assert "The app's request has a form or length that we do not accept." in unescape(longer.text)
    assert pending_count(client) == 1


@pytest.mark.requirement("SD-20")
def test_a_request_that_nobody_signed_in_to_is_cancelled_without_an_event(
    visitor: Visitor, make_client: MakeClient
) -> None:
    client = make_client()
    page = visitor.follow(visitor.ask(client))

    cancelled = visitor.send(page, cancel="1")

    assert redirect_query(cancelled)["error"] == "access_denied"
    assert PendingRequest.objects.get(client=client).answered_at > 0
    assert not OutboxEvent.objects.filter(client=client.client_id).exists()


@pytest.mark.requirement("AZ-22", "E32")
@pytest.mark.parametrize(
    ("prompt", "method", "approved", "signed_in", "refused"),
    [
        ("none", "GET", True, False, True),
        ("none", "GET", True, True, False),
        ("none", "POST", True, False, False),
        ("none", "GET", False, False, False),
        ("login", "GET", True, False, False),
    ],
)
def test_a_quiet_request_is_refused_at_once_where_it_is_certain_that_nobody_is_signed_in(
    make_client: MakeClient, make_person: MakePerson, prompt: str, method: str, approved: bool, signed_in: bool,
    refused: bool,
) -> None:  # fmt: skip
    request, client = browser(make_person() if signed_in else None), make_client(approved=approved)
    request.method = method

    if refused:
        with pytest.raises(LoginRequired, match="prompt none was asked"):
            _refuse_silent_without_session(request, client, asked(prompt=prompt))
    else:
        _refuse_silent_without_session(request, client, asked(prompt=prompt))


@pytest.mark.requirement("E43", "AZ-22")
@pytest.mark.parametrize(
    ("query", "subject"),
    [
        (b"id_token_hint=ours&client_id=the-app", "amy"),
        (b"id_token_hint=ours&client_id=another", ""),
        (b"id_token_hint=ours", ""),
        (b"id_token_hint=anything&client_id=the-app", ""),
        (b"client_id=the-app", ""),
    ],
)
def test_a_hint_names_a_person_to_the_app_that_the_id_token_was_for(
    monkeypatch: pytest.MonkeyPatch, query: bytes, subject: str
) -> None:
    told = {"ours": IdTokenHint("amy", "the-app")}
    monkeypatch.setattr("oauth.tokens.id_token.parse_hint", told.get)

    assert _hinted_subject(Parameters.parse(query)) == subject


@pytest.mark.requirement("AZ-01", "AZ-03", "AZ-08")
def test_what_the_operator_allows_a_client_is_what_a_request_is_judged_by(
    make_client: MakeClient, fhir_server: Any
) -> None:
    plain = make_client()
    other = make_client(
        "secret", enabled=False, application_type="native", grants="authorization_code refresh_token", profile="openid",
        redirect_uris="org.example.app:/a org.example.app:/b", scope="openid", allows_missing_state=True,
        refuses_unknown_scopes=True,
    )  # fmt: skip
    other.fhir_servers.clear()

    assert _policy(plain) == ClientPolicy(
        plain.client_id, enabled=True, grants=frozenset(plain.grants.split()), redirect_uris=(REDIRECT_URI,),
        scope=plain.scope, bases=(fhir_server.base,),
    )  # fmt: skip
    assert _policy(other) == ClientPolicy(
        other.client_id, native=True, grants=frozenset({"authorization_code", "refresh_token"}),
        redirect_uris=("org.example.app:/a", "org.example.app:/b"), scope="openid", allows_missing_state=True,
        refuses_unknown_scopes=True, confidential=True, openid=True,
    )  # fmt: skip


@pytest.mark.requirement("AZ-02", "AZ-24")
def test_a_body_may_be_longer_than_a_query_and_must_be_a_form() -> None:
    long = RequestFactory().post("/", b"scope=" + b"x" * 131_000, content_type=FORM_TYPE)
    bare = HttpRequest()
    bare.method, bare.META = "GET", {"QUERY_STRING": "a=1"}

    assert dict(_parameters(bare)) == {"a": "1"}
    assert len(_parameters(long)["scope"]) == 131_000
    for sent, told in (("text/plain", "text/plain"), ("", "no content type")):
        with pytest.raises(Unredirectable) as refused:
            _parameters(RequestFactory().post("/", b"a=1", content_type=sent))
        assert (refused.value.case, refused.value.presented, refused.value.expected) == ("E37", told, FORM_TYPE)
