"""The login page, alone and as the first step of a waiting request."""

from typing import Any

import pytest

from accounts import name_failures
from audit.models import OutboxEvent
from oauth.models import Code, PendingRequest
from tests.fixture_types import MakeClient, MakePerson, MakeVisitor
from tests.oauth.visitor import Visitor, redirect_query

WRONG = "<strong>The user name or password is not right.</strong> Check both and try again. Capital letters matter."
SESSION = "smartauth"


def test_a_wrong_password_and_an_unknown_name_read_the_same(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    person = make_person("amy")
    page = visitor.follow(visitor.ask(make_client()))

    wrong = visitor.send(page, username=person.username, password="not it")
    unknown = visitor.send(page, username="nobody-here", password="not it")

    assert wrong.status_code == unknown.status_code == 422
    assert WRONG in wrong.text
    assert WRONG in unknown.text
    assert f'value="{person.username}"' in wrong.text
    assert "not it" not in wrong.text
    assert SESSION not in visitor.browser.cookies


@pytest.mark.parametrize(
    ("name", "password"),
    [("x" * 20_000, "p"), ("a\0b", "p"), ("", ""), ("amy", "p" * 20_000), ("\u202e'--", "\0")],
    ids=["overlong name", "NUL", "nothing", "overlong password", "odd signs"],
)
def test_odd_credentials_fail_cleanly(visitor: Visitor, name: str, password: str) -> None:
    response = visitor.send(visitor.request("GET", "/login"), username=name, password=password)

    assert response.status_code == 422
    assert WRONG in response.text


@pytest.mark.requirement("AZ-21")
def test_the_session_is_a_new_one_after_the_login(visitor: Visitor, make_person: MakePerson) -> None:
    page = visitor.request("GET", "/login")
    visitor.browser.cookies.set(SESSION, "fixed-by-somebody-else", domain="127.0.0.1", path="/")

    response = visitor.send(page, username=make_person("amy").username, password="smartauth-demo")

    cookie = next(value for value in response.headers.get_list("Set-Cookie") if value.startswith(f"{SESSION}="))
    assert "fixed-by-somebody-else" not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie


@pytest.mark.requirement("AZ-21")
def test_a_second_login_changes_the_session_again(visitor: Visitor, make_person: MakePerson) -> None:
    person = make_person("amy")
    visitor.sign_in(visitor.request("GET", "/login"), person)
    before = visitor.browser.cookies[SESSION]

    visitor.sign_in(visitor.request("GET", "/login"), person)

    assert visitor.browser.cookies[SESSION] != before


def test_too_many_tries_pause_this_name_at_this_address_and_nobody_elses(
    make_visitor: MakeVisitor, make_client: MakeClient, make_person: MakePerson, settings: Any
) -> None:
    settings.SMARTAUTH_FAILURE_LIMIT = 3
    person, guesser, owner = make_person("amy"), make_visitor(), make_visitor()
    page = guesser.follow(guesser.ask(make_client()))
    for _ in range(2):
        guesser.send(page, username=person.username, password="guess")

    last = guesser.send(page, username=person.username, password="guess")
    right = guesser.send(page, username=person.username, password="smartauth-demo")

    for response in (last, right):
        assert response.status_code == 429
        assert 0 < int(response.headers["Retry-After"]) <= 900
        assert "<strong>Too many tries.</strong> Sign-in for this user name is paused until" in response.text
        assert "Other names tried from your network may count too." in response.text
    assert SESSION not in guesser.browser.cookies
    assert owner.sign_in(owner.request("GET", "/login"), person).status_code != 429
    assert OutboxEvent.objects.filter(kind="login-failed", person=person.subject).count() == 2
    assert [event.reason for event in OutboxEvent.objects.filter(kind="locked", person=person.subject)] == [""]


@pytest.mark.requirement("SD-20")
def test_the_event_of_a_pause_says_that_other_names_failed_too(
    visitor: Visitor, make_person: MakePerson, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_failures, "GROUPS", 1)
    settings.SMARTAUTH_FAILURE_LIMIT = 2
    person, page = make_person("amy"), visitor.request("GET", "/login")

    for name in ("nobody-here", person.username):
        response = visitor.send(page, username=name, password="guess")

    assert response.status_code == 429
    (told,) = OutboxEvent.objects.filter(kind="locked", person=person.subject)
    assert told.reason == "the count is shared: other names failed too"


def test_an_unknown_name_is_paused_like_a_known_one(visitor: Visitor, settings: Any) -> None:
    settings.SMARTAUTH_FAILURE_LIMIT = 2
    page = visitor.request("GET", "/login")

    first = visitor.send(page, username="nobody-here", password="guess")
    second = visitor.send(page, username="nobody-here", password="guess")

    assert (first.status_code, second.status_code) == (422, 429)


def test_a_stopped_account_is_told_only_to_who_knows_the_password(visitor: Visitor, make_person: MakePerson) -> None:
    person = make_person("amy")
    type(person).objects.get_queryset().filter(pk=person.pk).suspend("operator")
    page = visitor.request("GET", "/login")

    guessed = visitor.send(page, username=person.username, password="guess")
    known = visitor.send(page, username=person.username, password="smartauth-demo")

    assert "This account is suspended." not in guessed.text
    assert "<strong>This account is suspended.</strong>" in known.text
    assert known.status_code == 403
    assert SESSION not in visitor.browser.cookies
    event = OutboxEvent.objects.get(kind="login-failed", person=person.subject, reason="suspended")
    assert event.reference in known.text


def test_who_came_in_is_recorded_without_the_name(visitor: Visitor, make_person: MakePerson) -> None:
    person = make_person("amy")

    visitor.sign_in(visitor.request("GET", "/login"), person)

    event = OutboxEvent.objects.get(kind="login-succeeded", person=person.subject)
    assert event.address == visitor.address
    assert person.username not in str(vars(event))


@pytest.mark.requirement("E31")
def test_going_back_from_the_login_needs_no_account(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client()
    page = visitor.follow(visitor.ask(client))

    response = visitor.send(page, cancel="1", username="", password="")

    assert response.status_code == 303
    assert redirect_query(response)["error"] == "access_denied"
    assert Code.objects.filter(authorization__client=client).count() == 0
    assert PendingRequest.objects.get(client=client).answered_at > 0


def test_another_account_starts_the_same_request_again(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))

    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    path = page.url.path.replace("consent", "another-account")
    page = visitor.follow(visitor.request("POST", path, data={"csrfmiddlewaretoken": token}))

    assert page.url.path.endswith("/login")
    page = visitor.sign_in(page, make_person("ben"))
    assert "use your health record?" in page.text
    assert PendingRequest.objects.get(client=client).patient == "ben"


@pytest.mark.requirement("SB-01")
@pytest.mark.parametrize(
    ("query", "path"),
    [("", "/"), ("?to=admin", "/admin/"), ("?to=//evil.example", "/"), ("?next=https://evil.example/", "/")],
)
def test_a_login_leads_to_a_page_of_our_own(visitor: Visitor, make_person: MakePerson, query: str, path: str) -> None:
    page = visitor.request("GET", f"/login{query}")

    response = visitor.send(page, username=make_person("amy").username, password="smartauth-demo")

    assert response.status_code == 303
    assert response.headers["Location"] == path


def test_the_admin_has_no_door_of_its_own(visitor: Visitor) -> None:
    page = visitor.follow(visitor.request("GET", "/admin/login/"))

    assert page.url.path == "/login"


def test_logging_out_ends_the_session(visitor: Visitor, make_person: MakePerson) -> None:
    visitor.sign_in(visitor.request("GET", "/login"), make_person("amy"))
    page = visitor.request("GET", "/login")
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]

    response = visitor.request("POST", "/logout", data={"csrfmiddlewaretoken": token})

    assert response.headers["Location"] == "/login"
    assert not visitor.browser.cookies.get(SESSION)
    assert visitor.request("GET", "/logout").status_code == 405


def test_the_demo_people_are_shown_in_development_alone(visitor: Visitor, settings: Any) -> None:
    shown = visitor.request("GET", "/login")
    settings.SMARTAUTH_DEV = False
    hidden = visitor.request("GET", "/login")

    assert "Demo people" in shown.text
    assert "smartauth-demo" in shown.text
    assert "emo" not in hidden.text.replace("emote", "")
