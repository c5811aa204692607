"""Where a person is signed in, and the end of it."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session

from accounts import clock
from accounts.models import SignIn
from accounts.session_store import row_key
from audit.models import OutboxEvent
from oauth.models import Authorization
from oauth.retention.sweeping import sweep
from oauth.sign_in.sessions import browser
from smart.digests import sha256_hex
from tests.fixture_types import Grant, MakePerson, MakeVisitor
from tests.oauth.visitor import Visitor

SESSION = "smartauth"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def signed_in(visitor: Visitor, person: Any) -> Visitor:
    visitor.sign_in(visitor.request("GET", "/login"), person)
    return visitor


def here(visitor: Visitor) -> SignIn:
    """The row of this browser."""
    return SignIn.objects.get(session_id=row_key(visitor.browser.cookies[SESSION]))


def test_a_sign_in_is_remembered_with_its_session_and_address(visitor: Visitor, make_person: MakePerson) -> None:
    person = make_person("amy")
    visitor.browser.headers["User-Agent"] = FIREFOX

    row = here(signed_in(visitor, person))

    assert (row.user, row.address, row.user_agent) == (person, visitor.address, FIREFOX)
    assert 0 <= clock.now() - row.created_at < 60_000_000


def test_signing_in_again_leaves_one_row_for_one_browser(visitor: Visitor, make_person: MakePerson) -> None:
    person = make_person("amy")

    signed_in(signed_in(visitor, person), person)

    assert SignIn.objects.get(user=person) == here(visitor)


@pytest.mark.parametrize("leave", ["logout", "sweep"])
def test_the_row_goes_with_its_session(visitor: Visitor, make_person: MakePerson, leave: str) -> None:
    person = make_person("amy")
    signed_in(visitor, person)

    if leave == "logout":
        logout(visitor)
    else:
        Session.objects.filter(sign_in__user=person).update(expire_date="2001-01-01T00:00:00Z")
        sweep()

    assert not SignIn.objects.filter(user=person).exists()


def logout(visitor: Visitor) -> None:
    page = visitor.request("GET", "/sessions")
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    visitor.request("POST", "/logout", data={"csrfmiddlewaretoken": token})


def test_the_list_shows_where_the_person_is_signed_in_and_nobody_else(
    make_visitor: MakeVisitor, make_person: MakePerson
) -> None:
    amy, ben = make_person("amy"), make_person("ben")
    mine, phone, theirs = make_visitor(), make_visitor(), make_visitor()
    phone.browser.headers["User-Agent"] = FIREFOX
    for visitor, person in ((mine, amy), (phone, amy), (theirs, ben)):
        signed_in(visitor, person)

    page = mine.request("GET", "/sessions")

    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert mine.address in page.text
    assert phone.address in page.text
    assert "Firefox on Linux" in page.text
    assert page.text.count("this one, here") == 1
    assert theirs.address not in page.text


def test_nobody_sees_the_list_without_signing_in(visitor: Visitor, make_person: MakePerson) -> None:
    response = visitor.request("GET", "/sessions")

    assert (response.status_code, response.headers["Location"]) == (303, "/login?to=sessions")
    page = visitor.sign_in(visitor.follow(response), make_person("amy"))
    assert page.url.path == "/sessions"
    assert visitor.request("PUT", "/sessions").status_code in {403, 405}


def test_one_session_ends_at_once_and_the_others_go_on(make_visitor: MakeVisitor, make_person: MakePerson) -> None:
    amy = make_person("amy")
    mine, phone = signed_in(make_visitor(), amy), signed_in(make_visitor(), amy)

    response = mine.send(mine.request("GET", "/sessions"), end=here(phone).pk)

    assert (response.status_code, response.headers["Location"]) == (303, "/sessions?ended=1")
    assert phone.request("GET", "/sessions").headers["Location"] == "/login?to=sessions"
    assert mine.request("GET", "/sessions").status_code == 200
    assert OutboxEvent.objects.get(kind="signed-out", person=amy.subject).address == mine.address


@pytest.mark.parametrize("number", ["", "0", "x", "-1", "9" * 30, "1;2", "²"])
def test_an_odd_number_ends_nothing(visitor: Visitor, make_person: MakePerson, number: str) -> None:
    person = make_person("amy")
    signed_in(visitor, person)

    response = visitor.send(visitor.request("GET", "/sessions"), end=number)

    assert response.status_code == 303
    assert SignIn.objects.filter(user=person).count() == 1


def test_nobody_ends_the_session_of_another(make_visitor: MakeVisitor, make_person: MakePerson) -> None:
    amy, ben = signed_in(make_visitor(), make_person("amy")), signed_in(make_visitor(), make_person("ben"))

    amy.send(amy.request("GET", "/sessions"), end=here(ben).pk)

    assert ben.request("GET", "/sessions").status_code == 200


def test_signing_out_everywhere_needs_the_form_of_the_page(visitor: Visitor, make_person: MakePerson) -> None:
    signed_in(visitor, make_person("amy"))

    response = visitor.request("POST", "/sessions", data={"everywhere": "1"})

    assert response.status_code == 403
    assert visitor.request("GET", "/sessions").status_code == 200


@pytest.mark.requirement("SCP-17")
def test_signing_out_everywhere_leaves_apps_alone_but_ends_online_access(
    make_visitor: MakeVisitor,
    make_person: MakePerson,
    grant: Grant,
) -> None:
    amy = make_person("amy")
    mine, phone = signed_in(make_visitor(), amy), signed_in(make_visitor(), amy)
    offline, online = grant(person=amy).authorization, grant(person=amy).authorization
    mark = here(phone).session.get_decoded()["online"]
    Authorization.objects.filter(pk=online.pk).update(session_digest=sha256_hex(mark))

    response = mine.send(mine.request("GET", "/sessions"), everywhere="1")

    assert (response.status_code, response.headers["Location"]) == (303, "/login")
    assert not SignIn.objects.filter(user=amy).exists()
    for each in (mine, phone):
        assert each.request("GET", "/sessions").headers["Location"] == "/login?to=sessions"
    offline.refresh_from_db()
    online.refresh_from_db()
    assert offline.ended_at == 0
    assert online.ended_for == "signed-out"


def test_use_is_noted_once_a_minute_with_its_address(visitor: Visitor, make_person: MakePerson) -> None:
    signed_in(visitor, make_person("amy"))
    old = clock.now() - 61_000_000
    row = here(visitor)
    SignIn.objects.filter(pk=row.pk).update(last_seen_at=old, address="192.0.2.1")

    visitor.request("GET", "/sessions")
    seen = here(visitor)
    visitor.request("GET", "/sessions")
    again = here(visitor)

    assert seen.last_seen_at > old
    assert seen.address == visitor.address
    assert again.last_seen_at == seen.last_seen_at


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36", "Chrome on Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari on an iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/156.0 Mobile Safari/537.36", "Chrome on Android"),
        ("", "Another program"),
        ("<script>", "Another program"),
    ],
)
def test_a_user_agent_in_words(user_agent: str, words: str) -> None:
    assert browser(user_agent) == words
