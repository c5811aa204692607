"""Several steps of one ending keep the order in which every ending locks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from accounts import clock
from accounts.models import SignIn
from oauth.ending.people import require_sign_in_and_end, suspend_all
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor, Selection
from oauth.models import Authorization
from smart.digests import sha256_hex
from tests.fixture_types import Issue
from tests.oauth.conftest import WorkElsewhere, is_waited_for
from tests.oauth.visitor import Visitor
from tests.waiting import wait_until

Two = tuple[Authorization, Authorization]


@pytest.fixture
def of_one_person(issue: Issue, visitor: Visitor) -> Two:
    """The older stands by itself, the newer ends with the session of its person."""
    first = issue()["granted"]
    visitor.sign_in(visitor.request("GET", "/login"), first.person)
    newer = issue(first.client, first.person, patient="ben")["granted"].authorization
    mark = SignIn.objects.get(user=first.person).session.get_decoded()["online"]
    Authorization.objects.filter(pk=newer.pk).update(session_digest=sha256_hex(mark))
    return first.authorization, newer


@pytest.fixture
def of_two_people(issue: Issue) -> Two:
    """The older belongs to the person who was made later."""
    one, other = issue()["granted"], issue()["granted"]
    older = issue(one.client, other.person, patient="ben")["granted"].authorization
    return older, issue(one.client, one.person, patient="ben")["granted"].authorization


def sign_out(two: Two) -> Any:
    person = two[0].user
    whose = Selection.matching(user=person)
    return require_sign_in_and_end([person] if person else [], whose, Actor(now=clock.now()), EndedFor.REFUSALS)


def suspend(two: Two) -> Any:
    people = sorted((row.user for row in two if row.user), key=lambda user: user.pk)
    return suspend_all(people, Actor(now=clock.now()))


@pytest.mark.requirement("SD-05")
@pytest.mark.parametrize(("rows", "work"), [("of_one_person", sign_out), ("of_two_people", suspend)])
def test_who_waits_for_the_older_authorization_holds_no_newer_one(
    request: pytest.FixtureRequest, work_elsewhere: WorkElsewhere, rows: str, work: Callable[[Two], Any]
) -> None:
    older, newer = two = request.getfixturevalue(rows)

    with transaction.atomic():
        Authorization.objects.filter(pk=older.pk).end("operator", now=clock.now())
        ended = work_elsewhere(lambda: work(two))
        assert wait_until(lambda: ended.running() and is_waited_for())
        Authorization.objects.filter(pk=newer.pk).end("operator", now=clock.now())

    assert ended.result(30)
