"""What one ending ends, counts and tells: of a whole person or client, and of some authorizations."""

import secrets
from typing import Any

import pytest

from accounts import clock
from accounts.models import User
from oauth.ending import access, marks
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor, Ended, Selection
from oauth.models import AccessToken, Authorization, PendingRequest
from tests.fixture_types import Events, MakeClient, MakePerson


@pytest.fixture
def rows(make_client: MakeClient, make_person: MakePerson, fhir_server: Any) -> list[Authorization]:
    """Three of one person with one client: with two tokens that live, with one that ran out, and one that has ended."""
    client, person, now = make_client(), make_person(), clock.now()
    known = {"client": client, "user": person, "fhir_server": fhir_server, "fhir_server_epoch": fhir_server.epoch}
    rows = [Authorization.objects.create(patient=secrets.token_hex(4), client_epoch=0, **known) for _ in range(3)]
    for row, expires_at in ((rows[0], now + 10**9), (rows[0], now + 10**9), (rows[1], now), (rows[2], now + 10**9)):
        AccessToken.objects.create(
            authorization=row,
            digest=secrets.token_hex(32),
            authorization_epoch=0,
            claims="{}",
            issued_at=now - 10**9,
            expires_at=expires_at,
        )
    Authorization.objects.filter(pk=rows[2].pk).end("revoked", now=now - 1)
    return rows


def reasons(rows: list[Authorization]) -> list[str]:
    return [Authorization.objects.get(pk=row.pk).ended_for for row in rows]


@pytest.mark.requirement("RV-08", "HI-08")
@pytest.mark.parametrize(
    ("reason", "kind", "suspended", "each"),
    [
        (EndedFor.PERSON_ENDED, "authorization-ended", "", "person-ended"),
        (EndedFor.PERSON_SUSPENDED, "authorization-ended", "operator", "person-stopped"),
        (EndedFor.PERSON, "access-taken-back", "", "everything"),
    ],
)
def test_everything_of_a_person_ends_also_what_had_run_out_and_what_ended_before_keeps_its_reason(
    rows: list[Authorization], events: Events, reason: EndedFor, kind: str, suspended: str, each: str
) -> None:
    person, now = User.objects.get(pk=rows[0].user_id or 0), clock.now()

    ended = access.end(Selection.everything(person), Actor(now=now), reason)

    assert (ended.authorizations, ended.access_tokens) == (2, 2)
    assert reasons(rows) == [reason, reason, "revoked"]
    told = events(kind, person=person.subject)
    assert [(event.authorization, event.reason) for event in told] == [(str(rows[0]), each)] * 2
    assert [event.reason for event in events(reason, person=person.subject)] == (
        [] if reason is EndedFor.PERSON else ["authorizations: 2, access tokens: 2"]
    )
    epoch = person.epoch + 1
    person.refresh_from_db()
    assert (person.epoch, person.suspended_for, person.suspended_at > 0) == (epoch, suspended, bool(suspended))


@pytest.mark.requirement("RV-08", "HI-08")
@pytest.mark.parametrize(("reason", "enabled"), [(EndedFor.CLIENT_ENDED, 1), (EndedFor.CLIENT_DISABLED, 0)])
def test_the_event_of_a_client_names_it_and_says_how_much_ended(
    rows: list[Authorization], events: Events, reason: EndedFor, enabled: int
) -> None:
    client = rows[0].client

    ended = access.end(Selection.everything(client), Actor(now=clock.now()), reason)

    assert (ended.authorizations, ended.access_tokens) == (2, 2)
    (event,) = events(reason, client=client.client_id)
    assert (event.reason, event.fhir_server) == ("authorizations: 2, access tokens: 2", "")
    assert reasons(rows) == [reason, "", "revoked"], "what had run out keeps that as its cause"
    client.refresh_from_db()
    assert (client.epoch, client.enabled) == (1, enabled)


@pytest.mark.requirement("RV-08", "HI-08")
def test_authorizations_end_with_an_event_for_each_token_and_one_for_those_without(
    rows: list[Authorization], events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "AT_ONCE", 1)
    some = Selection.of_authorizations(rows)

    ended = access.end(some, Actor(now=clock.now()), EndedFor.OPERATOR)

    assert (ended.authorizations, ended.access_tokens) == (2, 2)
    assert reasons(rows) == ["operator", "operator", "revoked"]
    tokens = AccessToken.objects.filter(authorization=rows[0]).order_by("pk")
    told = events("authorization-ended", client=rows[0].client.client_id)
    assert [(event.authorization, event.token, event.reason) for event in told] == [
        *((str(rows[0]), str(token), "operator") for token in tokens),
        (str(rows[1]), "", "operator"),
    ]


@pytest.mark.requirement("RV-08")
def test_one_authorization_ends_once(rows: list[Authorization]) -> None:
    ended = [access.end_authorization(rows[0].pk, Actor(now=clock.now()), EndedFor.REVOKED) for _ in range(2)]

    assert [str(each) for each in ended] == ["authorizations: 1, access tokens: 2", str(Ended())]
    assert reasons(rows) == ["revoked", "", "revoked"]


@pytest.mark.requirement("AZ-23", "SD-05")
def test_of_requests_that_wait_those_of_the_same_app_and_person_get_no_answer_and_no_other_changes(
    rows: list[Authorization], make_client: MakeClient
) -> None:
    now, client = clock.now(), rows[0].client
    alike = {"client": client, "user": rows[0].user, "patient": rows[0].patient}
    kinds: dict[str, dict[str, Any]] = {
        "waits": alike,
        "was answered": {**alike, "answered_at": 5},
        "waited too long": {**alike, "expires_at": now},
        "of another app": {**alike, "client": make_client()},
        "about another record": {**alike, "patient": "another"},
    }
    requests = {
        name: PendingRequest.objects.create(
            handle_digest=secrets.token_hex(32),
            cookie_digest="",
            request="{}",
            fhir_server=rows[0].fhir_server,
            **{"expires_at": now + 1, **fields},
        )
        for name, fields in kinds.items()
    }

    access.end_authorization(rows[0].pk, Actor(now=now), EndedFor.OPERATOR)

    answered = {name: PendingRequest.objects.get(pk=row.pk).answered_at for name, row in requests.items()}
    assert answered == {
        "waits": now,
        "was answered": 5,
        "waited too long": 0,
        "of another app": 0,
        "about another record": 0,
    }
