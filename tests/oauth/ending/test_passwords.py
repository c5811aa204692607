"""A new password ends what the old one allowed, but for the session and the request in which it is chosen."""

from dataclasses import replace
from typing import Any

import pytest

from accounts import clock
from accounts.models import SignIn, User
from oauth.ending import passwords
from oauth.ending.selection import Actor
from oauth.models import PendingRequest
from tests.fixture_types import MakeClient, MakePerson, MakeVisitor
from tests.oauth.visitor import Visitor

AT_HOME = Actor(now=1, address="198.51.100.7")


@pytest.mark.requirement("RF-08", "SD-05")
@pytest.mark.parametrize("keeps", [False, True])
def test_one_session_and_one_request_may_go_on(
    make_client: MakeClient, make_person: MakePerson, make_visitor: MakeVisitor, keeps: bool
) -> None:
    person = make_person("amy")
    for _ in range(2):
        make_visitor().reach_consent(make_client(), person)
    session = SignIn.objects.filter(user=person).latest("pk").session_id
    request = PendingRequest.objects.filter(user=person).latest("pk").pk
    kept: dict[str, Any] = {"keep_session": session, "keep_request": request} if keeps else {}

    ended = passwords.store_password(person, replace(AT_HOME, now=clock.now()), **kept)

    left = SignIn.objects.filter(user=person).values_list("session_id", flat=True)
    waiting = PendingRequest.objects.filter(user=person, answered_at=0).values_list("pk", flat=True)
    assert (ended, list(left), list(waiting)) == ((1, [session], [request]) if keeps else (2, [], []))


@pytest.mark.requirement("RF-08")
def test_the_person_in_hand_knows_the_epoch_that_counts_now(make_person: MakePerson) -> None:
    person = make_person()
    before = person.epoch

    passwords.store_password(person, Actor(now=clock.now()))

    assert (person.epoch, User.objects.get(pk=person.pk).epoch) == (before + 1, before + 1)


def test_a_hash_waits_for_its_turn_with_those_of_its_network(
    make_person: MakePerson, hashing_networks: list[str]
) -> None:
    passwords.hash_password(make_person(), "a new long pass phrase 7", AT_HOME)

    assert hashing_networks == ["198.51.100.7"]


def test_where_nobody_is_signed_in_no_session_ends(make_person: MakePerson, visitor: Visitor) -> None:
    assert passwords.set_password(make_person(), None, Actor(now=clock.now())) == 0
