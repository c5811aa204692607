"""The end of a session: what was granted for as long as it lasts ends too; events say from where and how many."""

from typing import Any

import pytest

from accounts import clock
from accounts.models import SignIn, User
from oauth.ending import sessions
from oauth.ending.online_access import MARK
from oauth.ending.selection import Actor
from oauth.models import Authorization
from smart.digests import sha256_hex
from tests.fixture_types import Events, Issue, MakePerson, MakeVisitor

HERE = "198.51.100.7"


@pytest.fixture
def person(make_person: MakePerson, make_visitor: MakeVisitor) -> User:
    """Somebody who is signed in with two browsers."""
    person: User = make_person("amy")
    for visitor in (make_visitor(), make_visitor()):
        visitor.sign_in(visitor.request("GET", "/login"), person)
    return person


@pytest.mark.requirement("SCP-17", "HI-08")
def test_the_event_says_how_many_sessions_ended(person: User, events: Events) -> None:
    actor = Actor(now=clock.now(), address=HERE)

    assert [sessions.end_every_session(person, actor), sessions.end_every_session(person, actor)] == [2, 0]

    (event,) = events("signed-out", person=person.subject)
    assert (event.reason, event.address) == ("2 sessions", HERE)
    assert not SignIn.objects.filter(user=person).exists()


@pytest.mark.requirement("SCP-17", "HI-08")
def test_what_ends_with_the_session_of_a_browser_says_from_where(issue: Issue, events: Events, rf: Any) -> None:
    row = issue()["granted"].authorization
    Authorization.objects.filter(pk=row.pk).update(session_digest=sha256_hex("its mark"))
    request = rf.get("/", REMOTE_ADDR=HERE)
    request.session = {MARK: "its mark"}

    sessions.end_online_access_of(request)

    (event,) = events("authorization-ended", authorization=str(row))
    assert (event.reason, event.address) == ("signed-out", HERE)


@pytest.mark.requirement("SCP-17")
def test_a_session_without_a_mark_ends_nothing(issue: Issue, rf: Any) -> None:
    row = issue()["granted"].authorization
    Authorization.objects.filter(pk=row.pk).update(session_digest=sha256_hex(""))
    request = rf.get("/", REMOTE_ADDR=HERE)
    request.session = {}

    sessions.end_online_access_of(request)

    row.refresh_from_db()
    assert row.ended_at == 0
