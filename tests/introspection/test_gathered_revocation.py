"""Revocations that arrive together: one transaction, and each as it would have been alone."""

from collections.abc import Callable
from typing import Any

import pytest

from oauth.models import AccessToken
from smart.digests import sha256_hex
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Events, Introspect, Issue, MakeClient, MakePerson, MakeResourceServer
from tests.oauth.tokens.gathered import Posted, Together

pytestmark = pytest.mark.postgresql
ONE_TRANSACTION = [["BEGIN", "SELECT"], ["WITH", "COMMIT"]]


@pytest.fixture
def together(app: App, monkeypatch: pytest.MonkeyPatch) -> Together:
    return Together(app, monkeypatch)


def revoking(answer: dict[str, Any], **changes: str) -> Posted:
    return {"data": {"token": answer["access_token"], "client_id": answer["granted"].client.client_id, **changes}}


@pytest.mark.requirement("RV-01")
def test_they_are_one_transaction_and_each_ends_its_own_token(
    together: Together, issue: Issue, make_person: MakePerson, introspect: Introspect, events: Events
) -> None:
    issued, kept = [issue(None, make_person("amy")) for _ in range(5)], issue(None, make_person("amy"))

    answers = together.post("/o/revoke", *map(revoking, issued))

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 5
    assert [[text.split()[0] for text in each] for each in together.round_trips] == ONE_TRANSACTION
    assert [introspect(each["access_token"])["active"] for each in (*issued, kept)] == [False] * 5 + [True]
    for each in issued:
        granted = each["granted"]
        (event,) = events("revoked", client=granted.client.client_id)
        assert (event.person, event.patient, event.reason) == (granted.person.subject, "amy", "revoked")
        assert (event.address, event.reference) == ("192.0.2.7", granted.client.client_id)


@pytest.mark.requirement("RV-01", "RV-03")
def test_what_is_not_plain_goes_alone_and_disturbs_nobody(
    together: Together,
    issue: Issue,
    make_person: MakePerson,
    make_client: MakeClient,
    make_resource_server: MakeResourceServer,
    introspect: Introspect,
    events: Events,
) -> None:
    own, foreign, by_server, wrong = (issue(None, make_person("amy")) for _ in range(4))
    server = basic(make_resource_server().client_id, SECRET)

    answers = together.post(
        "/o/revoke",
        revoking(own),
        revoking(foreign, client_id=make_client().client_id),
        {"data": {"token": by_server["access_token"]}, "headers": server},
        revoking(wrong, client_id="nobody"),
        revoking(own, token="unknown"),
    )

    assert [answer.status_code for answer in answers] == [200, 400, 200, 401, 200]
    alive = [introspect(each["access_token"])["active"] for each in (own, foreign, by_server, wrong)]
    assert alive == [False, True, False, True]
    assert events("revoked", client=foreign["granted"].client.client_id) == []


def test_one_token_twice_is_one_event(together: Together, issue: Issue, events: Events) -> None:
    issued = issue()

    answers = together.post("/o/revoke", *[revoking(issued)] * 3)

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(events("revoked", client=issued["granted"].client.client_id)) == 1


def test_a_token_that_somebody_else_holds_keeps_only_its_own_request_waiting(
    together: Together, issue: Issue, make_person: MakePerson, held_elsewhere: Callable[[Any], None]
) -> None:
    stuck, other = issue(None, make_person("amy")), issue(None, make_person("amy"))
    held_elsewhere(AccessToken.objects.filter(digest=sha256_hex(stuck["access_token"])))

    assert together.answered_while_waiting("/o/revoke", revoking(other), waiting=revoking(stuck)) == 200
    assert [[text.split()[0] for text in each] for each in together.round_trips] == ONE_TRANSACTION


@pytest.mark.requirement("RV-01")
def test_a_commit_that_was_not_heard_is_one_event(
    together: Together, issue: Issue, introspect: Introspect, events: Events
) -> None:
    issued = issue()
    together.lose_the_answer_of("COMMIT")

    (answer,) = together.post("/o/revoke", revoking(issued))

    assert answer.status_code == 200
    assert introspect(issued["access_token"]) == {"active": False}
    assert len(events("revoked", client=issued["granted"].client.client_id)) == 1
