"""The password page: wanted by the person, or asked by an operator before anything else."""

import io
import json
import secrets
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import clock, password_hasher
from accounts.models import SignIn, User
from audit.models import OutboxEvent
from oauth.ending import passwords
from oauth.ending.selection import Actor
from oauth.models import AccessToken, PendingRequest
from tests.fixture_types import Introspect, Issue, MakeClient, MakePerson, MakeVisitor
from tests.oauth.visitor import PASSWORD, Visitor, redirect_query

NEW = "harbour lantern quilt"


def signed_in(visitor: Visitor, person: Any) -> Visitor:
    visitor.sign_in(visitor.request("GET", "/login"), person)
    return visitor


def change(visitor: Visitor, **fields: str) -> Any:
    """The page's form with a good new password, with changes."""
    page = visitor.follow(visitor.request("GET", "/password"))
    return visitor.send(page, **{"current": PASSWORD, "new": NEW, "again": NEW, **fields})


def can_sign_in(person: Any, password: str) -> bool:
    return bool(User.objects.get(pk=person.pk).check_password(password))


def test_a_person_changes_the_password_and_stays_signed_in(visitor: Visitor, make_person: MakePerson) -> None:
    amy = make_person("amy")
    signed_in(visitor, amy)
    before = visitor.browser.cookies["smartauth"]

    response = change(visitor)

    assert (response.status_code, response.headers["Location"]) == (303, "/password?done=1")
    done = visitor.follow(response)
    assert "The new password counts from now on." in done.text
    assert done.headers["Cache-Control"] == "no-store"
    assert can_sign_in(amy, NEW)
    assert not can_sign_in(amy, PASSWORD)
    assert visitor.browser.cookies["smartauth"] != before
    assert SignIn.objects.filter(user=amy).count() == 1
    assert OutboxEvent.objects.get(kind="password-changed", person=amy.subject).address == visitor.address


@pytest.mark.requirement("SD-20")
def test_a_new_password_takes_its_turn_among_the_hashes_of_its_network(
    visitor: Visitor, make_person: MakePerson, hashing_networks: list[str]
) -> None:
    amy = make_person("amy")
    signed_in(visitor, amy)
    hashing_networks.clear()

    change(visitor)

    assert hashing_networks == [visitor.address] * 3  # the current one, the new one as the current one, the new one
    assert can_sign_in(amy, NEW)


@pytest.mark.requirement("SD-20")
def test_no_transaction_is_open_while_a_password_is_hashed(
    visitor: Visitor, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    amy, turn, inside = make_person("amy"), password_hasher._turn, list[bool]()

    def watched() -> AbstractContextManager[None]:
        inside.append(connection.in_atomic_block)
        return turn()

    monkeypatch.setattr(password_hasher, "_turn", watched)
    signed_in(visitor, amy)

    change(visitor)

    assert inside == [False] * 4  # at the sign-in, the current one, the new one as the current one, the new one
    assert can_sign_in(amy, NEW)


def test_the_other_sessions_end(make_visitor: MakeVisitor, make_person: MakePerson) -> None:
    amy = make_person("amy")
    mine, phone = signed_in(make_visitor(), amy), signed_in(make_visitor(), amy)

    change(mine)

    assert phone.request("GET", "/sessions").headers["Location"] == "/login?to=sessions"
    assert mine.request("GET", "/sessions").status_code == 200


@pytest.mark.requirement("RF-08")
def test_every_app_must_ask_again(
    visitor: Visitor,
    make_person: MakePerson,
    issue: Issue,
    introspect: Introspect,
) -> None:
    amy = make_person("amy")
    answered = issue(person=amy)
    others = issue(person=make_person("ben"), patient="ben")
    signed_in(visitor, amy)
    assert introspect(answered["access_token"])["active"] is True

    change(visitor)

    assert introspect(answered["access_token"]) == {"active": False}
    authorization = answered["granted"].authorization
    authorization.refresh_from_db()
    assert authorization.ended_for == "password-changed"
    assert introspect(others["access_token"])["active"] is True
    assert AccessToken.objects.filter(authorization__user=amy).count() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"again": "something else 12"}, "The two new passwords differ."),
        ({"new": "short", "again": "short"}, "too short"),
        ({"new": "", "again": ""}, "too short"),
        ({"new": "password1234", "again": "password1234"}, "too common"),
        ({"new": "Amy Shaw Amy", "again": "Amy Shaw Amy"}, "too similar"),
        ({"new": PASSWORD, "again": PASSWORD}, "This is the password that you have."),
        ({"new": "x" * 1025, "again": "x" * 1025}, "At most 1024 characters."),
    ],
    ids=["differ", "short", "empty", "common", "like the name", "the same", "overlong"],
)
def test_an_unfit_password_changes_nothing(
    visitor: Visitor, make_person: MakePerson, fields: dict[str, str], words: str
) -> None:
    amy = make_person("amy")
    signed_in(visitor, amy)

    response = change(visitor, **fields)

    assert response.status_code == 422
    assert words in response.text
    assert "<title>Error: " in response.text
    assert can_sign_in(amy, PASSWORD)
    assert not OutboxEvent.objects.filter(kind="password-changed", person=amy.subject).exists()


def test_a_wrong_current_password_counts_like_a_failed_sign_in(
    make_visitor: MakeVisitor, make_person: MakePerson, settings: Any
) -> None:
    settings.SMARTAUTH_FAILURE_LIMIT = 2
    amy = make_person("amy")
    mine = signed_in(make_visitor(), amy)

    first, second, right = (change(mine, current=each) for each in ("guess", "guess", PASSWORD))

    assert [each.status_code for each in (first, second, right)] == [422, 429, 429]
    assert "The current password is not right." in first.text
    assert "guess" not in first.text
    assert 0 < int(second.headers["Retry-After"]) <= 900
    assert can_sign_in(amy, PASSWORD)
    login = mine.send(mine.request("GET", "/login"), username=amy.username, password=PASSWORD)
    assert login.status_code == 429
    assert OutboxEvent.objects.filter(kind="login-failed", person=amy.subject).count() == 1
    assert OutboxEvent.objects.filter(kind="locked", person=amy.subject).count() == 1


def test_nobody_changes_a_password_without_signing_in(visitor: Visitor, make_person: MakePerson) -> None:
    response = visitor.request("GET", "/password")

    assert (response.status_code, response.headers["Location"]) == (303, "/login?to=password")
    page = visitor.sign_in(visitor.follow(response), make_person("amy"))
    assert page.url.path == "/password"


def test_a_foreign_form_changes_nothing(visitor: Visitor, make_person: MakePerson) -> None:
    amy = make_person("amy")
    signed_in(visitor, amy)

    response = visitor.request("POST", "/password", data={"current": PASSWORD, "new": NEW, "again": NEW})

    assert response.status_code == 403
    assert can_sign_in(amy, PASSWORD)


def test_a_person_who_must_choose_is_asked_right_after_the_sign_in(visitor: Visitor, make_person: MakePerson) -> None:
    amy = make_person("amy")
    passwords.require_new_password(amy, Actor(now=clock.now(), operator="operator"))

    page = visitor.sign_in(visitor.request("GET", "/login"), amy)

    assert page.url.path == "/password"
    assert "Choose a new password" in page.text
    assert 'name="current"' not in page.text
    done = visitor.send(page, new=NEW, again=NEW)
    assert done.headers["Location"] == "/password?done=1"
    assert can_sign_in(amy, NEW)
    assert visitor.request("GET", "/sessions").status_code == 200


@pytest.mark.parametrize("path", ["/", "/sessions", "/admin/", "/no-such-page"])
def test_nothing_else_opens_before(visitor: Visitor, make_person: MakePerson, path: str) -> None:
    amy = make_person("amy")
    passwords.require_new_password(amy, Actor(now=clock.now()))
    signed_in(visitor, amy)

    response = visitor.request("GET", path)

    expected = 404 if path.startswith("/no-such") else 303
    assert response.status_code == expected
    if expected == 303:
        assert response.headers["Location"].startswith("/password")


def test_a_session_that_was_open_ends_when_a_new_password_is_required(
    visitor: Visitor, make_person: MakePerson
) -> None:
    amy = make_person("amy")
    signed_in(visitor, amy)

    ended = passwords.require_new_password(amy, Actor(now=clock.now(), operator="operator"))

    assert ended == 1
    assert visitor.request("GET", "/password").headers["Location"] == "/login?to=password"
    assert OutboxEvent.objects.get(kind="password-required", person=amy.subject).operator == "operator"


def test_a_session_opened_before_must_prove_the_current_password(visitor: Visitor, make_person: MakePerson) -> None:
    amy = make_person("amy")
    signed_in(visitor, amy)
    User.objects.filter(pk=amy.pk).update(must_change_password=SignIn.objects.get(user=amy).created_at + 1)

    page = visitor.request("GET", "/password")
    response = visitor.send(page, new=NEW, again=NEW)

    assert 'name="current"' in page.text
    assert response.status_code == 422
    assert can_sign_in(amy, PASSWORD)


def test_the_same_password_is_not_a_new_one(visitor: Visitor, make_person: MakePerson) -> None:
    amy = make_person("amy")
    passwords.require_new_password(amy, Actor(now=clock.now()))
    page = visitor.sign_in(visitor.request("GET", "/login"), amy)

    response = visitor.send(page, new=PASSWORD, again=PASSWORD)

    assert response.status_code == 422
    assert User.objects.get(pk=amy.pk).must_change_password > 0


def test_an_app_waits_until_the_new_password_is_chosen(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, amy = make_client(), make_person("amy")
    passwords.require_new_password(amy, Actor(now=clock.now()))

    page = visitor.sign_in(visitor.follow(visitor.ask(client)), amy)

    assert page.url.path.endswith("/password")
    assert "Growth Chart" in page.text
    consent = page.url.path.replace("/password", "/consent")
    assert visitor.request("GET", consent).headers["Location"] == page.url.path
    after = visitor.follow(visitor.send(page, new=NEW, again=NEW))
    assert after.url.path == consent
    assert redirect_query(visitor.allow(after))["code"]


def test_a_person_who_does_not_want_to_choose_goes_back_to_the_app(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, amy = make_client(), make_person("amy")
    passwords.require_new_password(amy, Actor(now=clock.now()))
    page = visitor.sign_in(visitor.follow(visitor.ask(client)), amy)

    response = visitor.send(page, cancel="1")

    assert redirect_query(response)["error"] == "access_denied"
    assert PendingRequest.objects.get(client=client).answered_at > 0
    assert can_sign_in(amy, PASSWORD)


@pytest.mark.requirement("E32")
@pytest.mark.parametrize(("holds", "error"), [(True, "interaction_required"), (False, "consent_required")])
def test_an_app_that_wants_no_page_hears_that_one_is_needed(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, issue: Issue, holds: bool, error: str
) -> None:
    amy, client = make_person("amy"), make_client()
    if holds:
        issue(client, amy)
    signed_in(visitor, amy)
    User.objects.get_queryset().filter(pk=amy.pk).require_new_password()

    response = visitor.follow(visitor.ask(client, prompt="none"))

    assert redirect_query(response)["error"] == error


def test_the_step_leads_on_for_a_person_who_need_not_choose(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    page = visitor.reach_consent(make_client(), make_person("amy"))

    response = visitor.follow(visitor.request("GET", page.url.path.replace("/consent", "/password")))

    assert response.url.path == page.url.path


def test_an_operator_goes_on_to_the_admin(visitor: Visitor, make_person: MakePerson) -> None:
    admin = make_person()
    User.objects.filter(pk=admin.pk).update(is_staff=True, is_superuser=True)
    passwords.require_new_password(admin, Actor(now=clock.now()))

    page = visitor.sign_in(visitor.request("GET", "/login?to=admin"), admin)
    response = visitor.send(page, new=NEW, again=NEW)

    assert response.headers["Location"] == "/admin/"


def test_the_admin_has_no_password_page_of_its_own(visitor: Visitor) -> None:
    response = visitor.request("GET", "/admin/password_change/")

    assert (response.status_code, response.headers["Location"]) == (303, "/password")


def test_the_command_sets_and_requires(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch, visitor: Visitor
) -> None:
    amy = make_person("amy")
    signed_in(visitor, amy)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{NEW}\n"))
    said = io.StringIO()

    call_command("password", amy.username, set=True, require=True, stdout=said)

    assert can_sign_in(amy, NEW)
    assert User.objects.get(pk=amy.pk).must_change_password > 0
    assert "Sessions ended: 1." in said.getvalue()
    assert NEW not in said.getvalue()
    assert OutboxEvent.objects.get(kind="password-changed", person=amy.subject).operator == "manage.py"


def test_the_command_says_in_json_what_it_did(make_person: MakePerson, visitor: Visitor) -> None:
    amy, said = make_person("amy"), io.StringIO()
    signed_in(visitor, amy)

    call_command("password", amy.username, "--require", "--json", stdout=said)

    done = {"username": amy.username, "set": False, "required": True, "sessions_ended": 1}
    assert json.loads(said.getvalue()) == done


@pytest.mark.parametrize(
    ("options", "typed", "words"),
    [({}, "", "--set"), ({"set": True}, "short\n", "too short"), ({"set": True}, "x" * 1025, "At most 1024")],
    ids=["nothing to do", "unfit", "overlong"],
)
def test_the_command_refuses_with_a_sentence(
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, bool],
    typed: str,
    words: str,
) -> None:
    amy = make_person("amy")
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))

    with pytest.raises(CommandError, match=words):
        call_command("password", amy.username, **options)

    assert can_sign_in(amy, PASSWORD)


def test_the_command_knows_only_people_who_exist(committed: None) -> None:
    with pytest.raises(CommandError, match="Nobody has the user name"):
        call_command("password", f"nobody-{secrets.token_hex(4)}", require=True)
