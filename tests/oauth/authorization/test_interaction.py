"""A waiting request: only its own browser takes its steps, it is answered once, and it ends by itself."""

import dataclasses
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from accounts.password_hasher import TooManyHashes
from audit.models import OutboxEvent
from oauth.authorization.interaction import _run, _run_for_its_user, require_user
from oauth.authorization.pending_request import AlreadyAnswered, Expired, Pending
from oauth.authorization.request_cookie import NotInThisBrowser
from oauth.models import Authorization, Code, PendingRequest
from smart.http.about_token import ABOUT_TOKEN
from tests.fixture_types import MakeClient, MakePerson, MakeVisitor
from tests.oauth.authorization.authorize_pages import events_of, page_reference
from tests.oauth.authorization.waiting_requests import URI, asked, browser, wait
from tests.oauth.visitor import FORM, Visitor, redirect_query, ticked_kinds, ticked_lines


def granted(client: Any) -> int:
    return (
        Authorization.objects.filter(client=client).count() + Code.objects.filter(authorization__client=client).count()
    )


def stopped(response: Any, sentence: str, status: int = 403) -> None:
    assert response.status_code == status
    assert "Location" not in response.headers
    assert sentence in response.text
    assert "othing was shared" in response.text or "Nothing was done twice." in response.text


@pytest.mark.requirement("E40", "AZ-20")
def test_another_browser_cannot_take_the_request_over(
    visitor: Visitor, make_visitor: MakeVisitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))
    thief = make_visitor()

    stopped(thief.request("GET", page.url.path), "This page waited too long, or was opened in two places.")
    stopped(thief.request("GET", page.url.path.replace("/consent", "")), "or was opened in two places")
    assert granted(client) == 0


@pytest.mark.requirement("E40", "AZ-20")
def test_a_request_that_nobody_made_is_answered_like_that_of_another(visitor: Visitor) -> None:
    page = visitor.request("GET", "/o/authorize/no-such-handle/consent")

    stopped(page, "or was opened in two places")
    assert [event.reason for event in events_of(page_reference(page))] == ["no such request waits in this browser"]


@pytest.mark.requirement("E40")
def test_another_session_in_the_same_browser_cannot_answer(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))
    visitor.sign_in(visitor.request("GET", "/login"), make_person("ben"))
    other = visitor.request("GET", "/login")

    body = {"csrfmiddlewaretoken": other.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]}
    response = visitor.request("POST", page.url.path, data={**body, "ask": "1", "answer": "allow"})

    stopped(response, "or was opened in two places")
    assert granted(client) == 0


@pytest.mark.requirement("E40")
def test_the_person_who_signs_in_next_starts_without_what_was_chosen_before(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))
    visitor.sign_in(visitor.request("GET", "/login"), make_person("amy", "dan", is_="Practitioner/dr"))

    page = visitor.follow(visitor.request("GET", page.url.path))

    assert page.url.path.endswith("/patient")
    assert " checked" not in page.text
    assert PendingRequest.objects.get(client=client).patient == ""


@pytest.mark.requirement("E40", "AZ-19")
@pytest.mark.parametrize("step", ["login", "patient", "consent", "another-account"])
def test_no_step_is_taken_without_the_pages_own_token(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, step: str
) -> None:
    client, person = make_client(), make_person("amy")
    page = visitor.reach_consent(client, person)
    forged = "username=amy&password=x&patient=1&ask=1&answer=allow&cancel=1"

    path = page.url.path.replace("consent", step)
    response = visitor.request("POST", path, content=forged, headers={**FORM, "Origin": "https://evil.example"})

    stopped(response, "or was opened in two places")
    assert granted(client) == 0
    assert PendingRequest.objects.get(client=client).answered_at == 0
    assert visitor.request("GET", page.url.path).status_code == 200


@pytest.mark.requirement("E40", "AZ-20")
def test_a_second_answer_is_told_that_there_was_one(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))
    assert "code" in redirect_query(visitor.allow(page))
    before = granted(client)

    response = visitor.allow(page)

    stopped(response, "You have answered this request already. Nothing was done twice.")
    assert granted(client) == before


@pytest.mark.requirement("E40", "AZ-17")
def test_of_parallel_answers_one_wins(visitor: Visitor, make_client: MakeClient, make_person: MakePerson) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))

    responses = visitor.at_once(page, 8, ask=ticked_lines(page), **ticked_kinds(page), answer="allow")

    assert sorted(response.status_code for response in responses) == [303] + [403] * 7
    assert Authorization.objects.filter(client=client).count() == 1
    assert Code.objects.filter(authorization__client=client).count() == 1


@pytest.mark.requirement("E40")
@pytest.mark.parametrize("step", ["", "/login", "/patient", "/consent"])
def test_a_request_that_waited_too_long_is_over(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, step: str
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))
    PendingRequest.objects.filter(client=client).update(expires_at=1)

    response = visitor.request("GET", page.url.path.replace("/consent", step))

    stopped(response, "This page waited too long. For your safety a request ends after 10 minutes.")
    assert "Go back to Growth Chart and start again" in response.text
    assert granted(client) == 0


@pytest.mark.requirement("E40")
def test_an_answer_that_comes_too_late_gives_nothing(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))
    PendingRequest.objects.filter(client=client).update(expires_at=1)

    response = visitor.allow(page)

    stopped(response, "This page waited too long.")
    assert granted(client) == 0


@pytest.mark.requirement("AZ-20")
def test_parallel_requests_of_one_browser_keep_apart(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    first, second = make_client(), make_client()
    one = visitor.reach_consent(first, make_person("amy"), state="one")
    two = visitor.follow(visitor.ask(second, state="two", scope="patient/Condition.rs"))

    allowed, denied = visitor.allow(one), visitor.send(two, answer="deny")

    assert redirect_query(allowed)["state"] == "one"
    assert (redirect_query(denied)["state"], redirect_query(denied)["error"]) == ("two", "access_denied")
    assert Authorization.objects.get(client=first).scope == "launch/patient patient/Observation.rs patient/Condition.rs"
    assert granted(second) == 0


@pytest.mark.requirement("AZ-05", "E4")
def test_no_answer_goes_to_an_address_that_was_taken_away_meanwhile(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))
    client.redirect_uris = "https://app.example/another"
    client.save()

    allowed = visitor.allow(page)

    stopped(allowed, "an address that is not on its list", 400)
    stopped(visitor.send(page, answer="deny"), "an address that is not on its list", 400)
    assert {event.reason for event in events_of(page_reference(allowed))} == {
        "redirect_uri was taken from the list meanwhile"
    }
    assert granted(client) == 0


@pytest.mark.requirement("E1")
def test_a_client_that_is_disabled_meanwhile_gets_nothing(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))
    type(client).objects.filter(pk=client.pk).disable()

    response = visitor.allow(page)

    stopped(response, "This server does not know the app", 400)
    assert [event.reason for event in events_of(page_reference(response))] == ["the client was disabled meanwhile"]
    assert granted(client) == 0


@pytest.mark.requirement("E42")
@pytest.mark.parametrize(
    ("failure", "error"), [(RuntimeError, "server_error"), (OperationalError, "temporarily_unavailable")]
)
def test_a_failure_while_the_answer_is_written_leaves_nothing_and_tells_the_app(
    visitor: Visitor,
    make_client: MakeClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
    failure: type[Exception],
    error: str,
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))
    events = OutboxEvent.objects.filter(client=client.client_id, kind="allowed")

    def failing(*_: object, **__: object) -> None:
        raise failure("broken on the way")

    monkeypatch.setattr("oauth.authorization.code.success_redirect", failing)
    monkeypatch.setattr("oauth.authorization.code.record_events", failing)
    response = visitor.allow(page)

    assert response.status_code == 303
    told = redirect_query(response)
    assert (told["error"], told["error_description"]) == (error, "something failed here, try again later")
    assert told["state"] == "state-of-the-app"
    assert (granted(client), events.count()) == (0, 0)
    assert PendingRequest.objects.get(client=client).answered_at == 0


@pytest.mark.requirement("E42", "HI-08")
def test_a_denial_whose_event_cannot_be_written_may_be_sent_again(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, person = make_client(), make_person("amy")
    page = visitor.reach_consent(client, person)

    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("broken on the way")

    with monkeypatch.context() as broken:
        broken.setattr("oauth.authorization.refusals.record_events", failing)
        failed = visitor.send(page, answer="deny")
    answered = PendingRequest.objects.get(client=client).answered_at
    again = visitor.send(page, answer="deny")

    (event,) = OutboxEvent.objects.filter(client=client.client_id, kind="denied")
    assert (failed.status_code, answered) == (500, 0)
    assert redirect_query(again)["error"] == "access_denied"
    assert (event.person, event.address, event.reason) == (person.subject, visitor.address, "access_denied")


@pytest.mark.requirement("AZ-13", "E42")
def test_a_failure_before_the_login_sends_nobody_to_a_client_that_nobody_approved(
    visitor: Visitor, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visitor.follow(visitor.ask(make_client(approved=0)))

    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("broken on the way")

    monkeypatch.setattr("oauth.sign_in.login.attempt", failing)
    response = visitor.send(page, username="amy", password="x")

    assert response.status_code == 500
    assert "Location" not in response.headers
    assert "<h1>Something broke here</h1>" in response.text
    assert "Traceback" not in response.text


def seen(request: HttpRequest, pending: Pending) -> HttpResponse:
    """A step that says it was taken."""
    return HttpResponse("taken")


def test_a_step_tells_whose_token_it_is_about(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    client, person, request = make_client(redirect_uris=URI), make_person("amy"), browser()

    for user, subject in ((person, person.subject), (None, "")):
        assert _run(seen, request, wait(client, fhir_server, user, patient="amy")).content == b"taken"
        assert request.META[ABOUT_TOKEN] == {
            "client_id": client.client_id, "aud": fhir_server.base, "patient": "amy", "sub": subject
        }  # fmt: skip


@pytest.mark.requirement("E42", "AZ-06")
@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (RuntimeError(), "server_error"),
        (OperationalError(), "temporarily_unavailable"),
        (InterfaceError(), "temporarily_unavailable"),
    ],
    ids=repr,
)
def test_a_step_that_fails_leads_back_to_the_app(
    make_client: MakeClient, fhir_server: Any, failure: Exception, error: str
) -> None:
    def failing(request: HttpRequest, pending: Pending) -> HttpResponse:
        raise failure

    location = _run(failing, browser(), wait(make_client(redirect_uris=URI), fhir_server)).headers["Location"]

    told = parse_qs(urlsplit(location).query)
    assert location.startswith(f"{URI}?")
    assert (told["error"], told["state"]) == ([error], ["the state"])
    assert told["error_description"] == ["something failed here, try again later"]


@pytest.mark.requirement("E40", "SD-20")
@pytest.mark.parametrize("kind", [NotInThisBrowser, AlreadyAnswered, Expired, TooManyHashes])
def test_what_is_no_failure_of_a_step_goes_on_to_who_answers_it(
    make_client: MakeClient, fhir_server: Any, kind: Any
) -> None:
    pending = wait(make_client(redirect_uris=URI), fhir_server)

    def stopping(request: HttpRequest, pending: Pending) -> HttpResponse:
        raise kind(pending) if kind in (AlreadyAnswered, Expired) else kind

    with pytest.raises(kind):
        _run(stopping, browser(), pending)


@pytest.mark.requirement("AZ-05", "E6")
@pytest.mark.parametrize(("kind", "status"), [("native", 200), ("web", 400)])
def test_another_port_of_loopback_is_still_that_of_a_native_app_alone(
    make_client: MakeClient, fhir_server: Any, kind: str, status: int
) -> None:
    client = make_client(redirect_uris="http://127.0.0.1:4999/cb", application_type=kind)
    pending = dataclasses.replace(wait(client, fhir_server), redirect_uri="http://127.0.0.1:51234/cb")

    assert _run(seen, browser(), pending).status_code == status


@pytest.mark.requirement("E40", "AZ-20", "AZ-22")
def test_a_page_of_somebody_else_leads_on_and_what_they_send_counts_for_nothing(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    amy, ben, client = make_person("amy"), make_person("ben"), make_client()
    of_amy = wait(client, fhir_server, amy)
    foreign = [
        (None, of_amy),
        (ben, of_amy),
        (amy, dataclasses.replace(of_amy, refused="to the app")),
        (amy, wait(client, fhir_server, amy, asked(prompt="login"))),
    ]

    assert _run_for_its_user(seen, browser(amy), of_amy).content == b"taken"
    for user, pending in foreign:
        request = browser(user)
        with pytest.raises(NotInThisBrowser):
            _run_for_its_user(seen, request, pending)
        request.method = "GET"
        assert _run_for_its_user(seen, request, pending).headers["Location"] == pending.url


@pytest.mark.requirement("E40")
def test_without_anybody_there_is_no_user_of_a_step() -> None:
    with pytest.raises(NotInThisBrowser):
        require_user(browser())


@pytest.mark.requirement("WF-12", "AZ-19", "E41")
@pytest.mark.parametrize(
    ("redirect_uri", "kind", "source"),
    [
        ("https://app.example/cb?a=1", "web", "https://app.example"),
        ("https://app.example:8443/cb", "web", "https://app.example:8443"),
        ("http://127.0.0.1:4999/cb", "native", "http://127.0.0.1:4999"),
        ("com.example.app:/cb", "native", "com.example.app:"),
    ],
)
def test_login_picker_and_consent_may_end_at_this_app_and_nowhere_else(
    visitor: Visitor,
    make_client: MakeClient,
    make_person: MakePerson,
    redirect_uri: str,
    kind: str,
    source: str,
) -> None:
    client = make_client(redirect_uris=redirect_uri, application_type=kind)
    person = make_person("dan", "amy", is_="RelatedPerson/carol")

    login = visitor.follow(visitor.ask(client, redirect_uri=redirect_uri))
    picker = visitor.sign_in(login, person)
    consent = visitor.follow(visitor.send(picker, patient=picker.text.split('name="patient" value="')[1].split('"')[0]))

    for page, step in ((login, "login"), (picker, "patient"), (consent, "consent")):
        assert page.url.path.endswith(step)
        policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
        assert policy["form-action"] == f"'self' {source}"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "form-action 'self';" in visitor.request("GET", "/login").headers["Content-Security-Policy"] + ";"


@pytest.mark.requirement("AZ-19", "SB-06")
def test_the_pages_load_nothing_from_elsewhere_and_hold_no_script(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    page = visitor.reach_consent(make_client(), make_person("amy"))

    for inline in ("<script", "<style", "style=", "onclick", "javascript:", 'src="http', 'href="http'):
        assert inline not in page.text


@pytest.mark.requirement("AZ-16")
def test_names_with_markup_come_out_as_text(visitor: Visitor, make_client: MakeClient, make_person: MakePerson) -> None:
    client = make_client(name="<b onmouseover=alert(1)>x</b>", maker="</dd><script>alert(1)</script>")

    page = visitor.reach_consent(client, make_person("amy"))

    assert "<b onmouseover" not in page.text
    assert "<script" not in page.text
