"""Refreshes that arrive together: one transaction, and each as it would have been alone."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from oauth.ending import access
from oauth.models import RefreshToken, Seat
from smart.digests import sha256_hex
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Events, Introspect, Issue, MakeClient, MakePerson
from tests.oauth.tokens.gathered import Posted, Together
from tests.oauth.tokens.refresh_client import (
    SCOPE,
    Refresh,
    as_issued_before,
    assert_refused,
    state,
    tokens_of_refresh,
)
from tests.waiting import wait_until

pytestmark = pytest.mark.postgresql
ONE_TRANSACTION = [["BEGIN", "SELECT"], ["WITH", "COMMIT"]]
Hold = Callable[[Any], None]


@pytest.fixture
def together(app: App, monkeypatch: pytest.MonkeyPatch) -> Together:
    return Together(app, monkeypatch)


def refreshing(answer: dict[str, Any], **changes: str) -> Posted:
    client = answer["granted"].client
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], **changes}
    if client.authentication == "none":
        return {"data": {"client_id": client.client_id, **form}}
    return {"data": form, "headers": basic(client.client_id, SECRET)}


def next_of(answers: list[httpx.Response], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What these refreshes gave, to go on with."""
    return [tokens_of_refresh(first, answer) for answer, first in zip(answers, before, strict=True)]


def test_they_are_one_transaction_and_each_gets_its_own_tokens(
    together: Together, launch: Issue, make_app: MakeClient, make_person: MakePerson, introspect: Introspect
) -> None:
    first = [launch(make_app(way), make_person("amy")) for way in ("none", "secret") * 3]

    answers = together.post("/o/token", *map(refreshing, first))

    assert [answer.status_code for answer in answers] == [200] * 6
    assert [[text.split()[0] for text in each] for each in together.round_trips] == ONE_TRANSACTION
    for answer, before in zip(answers, first, strict=True):
        assert introspect(answer.json()["access_token"])["client_id"] == before["granted"].client.client_id
        assert introspect(before["access_token"]) == {"active": False}
        assert answer.json()["scope"] == before["scope"]
    again = together.post("/o/token", *map(refreshing, next_of(answers, first)))
    assert [answer.status_code for answer in again] == [200] * 6


@pytest.mark.requirement("RF-03")
def test_tokens_that_tell_the_day_of_their_end_and_one_that_tells_none_are_refreshed_together(
    together: Together, launch: Issue, make_app: MakeClient, make_person: MakePerson
) -> None:
    first = [launch(make_app(), make_person("amy")) for _ in range(3)]
    first[1] = as_issued_before(first[1])

    answers = together.post("/o/token", *map(refreshing, first))

    assert [answer.status_code for answer in answers] == [200] * 3
    assert [[text.split()[0] for text in each] for each in together.round_trips] == ONE_TRANSACTION


def test_an_id_token_comes_with_it_where_it_was_granted(
    together: Together, launch: Issue, make_app: MakeClient
) -> None:
    scope = f"{SCOPE} openid fhirUser"
    first = launch(make_app(scope=scope), scope=scope)

    (answer,) = together.post("/o/token", refreshing(first))

    assert answer.status_code == 200
    assert answer.json()["id_token"].count(".") == 2
    assert [[text.split()[0] for text in each] for each in together.round_trips] == ONE_TRANSACTION


@pytest.mark.requirement("PR-01", "RF-09")
def test_a_client_that_keeps_several_loses_the_oldest_by_each_refresh(
    together: Together, launch: Issue, make_app: MakeClient, make_person: MakePerson, events: Events
) -> None:
    client, person = make_app(tokens_to_keep=3), make_person("amy")
    launched = [launch(client, person) for _ in range(3)]

    answers = together.post("/o/token", *map(refreshing, launched), refreshing(launched[0]))

    assert [answer.status_code for answer in answers] == [200, 200, 200, 400]
    issued = [event.token for event in events("issued", client=client.client_id)]
    refreshed = [event.token for event in events("refreshed", client=client.client_id)]
    superseded = events("superseded", client=client.client_id)
    assert [event.token for event in superseded] == issued
    assert [event.reason for event in superseded] == [f"by token {token}" for token in refreshed]
    assert Seat.objects.get(key__contains=f"|{client.pk}|{person.pk}|").latest_number == 6


@pytest.mark.requirement("E88", "E89", "E91")
def test_what_is_refused_in_a_batch_disturbs_nobody_and_its_consequences_are_committed(
    together: Together, launch: Issue, make_app: MakeClient, make_person: MakePerson, events: Events, refresh: Refresh
) -> None:
    good, spent, strange, wide = (launch(make_app(), make_person("amy")) for _ in range(4))
    assert refresh(spent).status_code == 200
    before = state(strange["granted"]), state(wide["granted"])

    answers = together.post(
        "/o/token",
        refreshing(spent),
        refreshing(strange, client_id=good["granted"].client.client_id),
        refreshing(wide, scope="patient/*.cruds system/*.rs"),
        refreshing({**good, "refresh_token": "nobody-has-it"}),
        refreshing(good),
    )

    assert [answer.status_code for answer in answers] == [400, 400, 400, 400, 200]
    assert (state(strange["granted"]), state(wide["granted"])) == before
    assert len(events("refresh-reused", client=spent["granted"].client.client_id)) == 1
    assert len(events("refresh-refused", client=strange["granted"].client.client_id)) == 1


@pytest.mark.requirement("RF-04", "E94")
def test_one_token_twice_in_a_batch_is_one_answer_and_the_end_of_its_family(
    together: Together, launch: Issue, introspect: Introspect, events: Events
) -> None:
    first = launch()

    answers = together.post("/o/token", refreshing(first), refreshing(first))

    (given,) = [answer for answer in answers if answer.status_code == 200]
    (refused,) = [answer for answer in answers if answer is not given]
    assert_refused(refused)
    assert introspect(given.json()["access_token"]) == {"active": False}
    assert len(events("refresh-reused", client=first["granted"].client.client_id)) == 1


@pytest.mark.requirement("RF-05")
def test_within_the_grace_window_the_second_gets_the_answer_of_the_first(
    together: Together, launch: Issue, settings: Any
) -> None:
    settings.SMARTAUTH_REFRESH_GRACE_SECONDS = 30
    first = launch()

    given = [answer.json() for answer in together.post("/o/token", *[refreshing(first)] * 3)]
    (last,) = together.post("/o/token", refreshing({**given[0], "granted": first["granted"]}))

    assert given == [given[0]] * 3
    assert last.status_code == 200
    rows = RefreshToken.objects.filter(authorization=first["granted"].authorization).order_by("pk")
    assert [bool(row.kept_answer) for row in rows] == [False, True, False]


@pytest.mark.requirement("RF-04")
@pytest.mark.parametrize("held", ["token", "seat"])
def test_a_row_that_somebody_else_holds_keeps_only_its_own_request_waiting(
    together: Together, launch: Issue, make_person: MakePerson, make_app: MakeClient, held_elsewhere: Hold, held: str
) -> None:
    stuck, other = launch(make_app(), make_person("amy")), launch(make_app(), make_person("ben"), patient="ben")
    token = RefreshToken.objects.filter(digest=sha256_hex(stuck["refresh_token"]))
    held_elsewhere(token if held == "token" else Seat.objects.filter(pk__in=token.values("seat")))

    assert together.answered_while_waiting("/o/token", refreshing(other), waiting=refreshing(stuck)) == 200
    assert [[text.split()[0] for text in each] for each in together.round_trips] == ONE_TRANSACTION


@pytest.mark.requirement("RF-04")
def test_a_refresh_whose_commit_was_not_heard_is_answered_and_its_family_lives(
    together: Together, launch: Issue, make_app: MakeClient, make_person: MakePerson, events: Events
) -> None:
    first = [launch(make_app(), make_person("amy")) for _ in range(4)]
    together.lose_the_answer_of("COMMIT")

    answers = together.post("/o/token", *map(refreshing, first))
    again = together.post("/o/token", *map(refreshing, next_of(answers, first)))

    assert [answer.status_code for answer in (*answers, *again)] == [200] * 8
    for each in first:
        client_id = each["granted"].client.client_id
        assert (len(events("refreshed", client=client_id)), events("refresh-reused", client=client_id)) == (2, [])


@pytest.mark.requirement("RF-04")
def test_a_batch_that_was_not_committed_is_done_again(
    together: Together, launch: Issue, make_app: MakeClient, make_person: MakePerson, events: Events
) -> None:
    first = [launch(make_app(), make_person("amy")) for _ in range(3)]
    together.lose_before("WITH")

    answers = together.post("/o/token", *map(refreshing, first))

    assert [answer.status_code for answer in answers] == [200] * 3
    assert [len(events("refreshed", client=each["granted"].client.client_id)) for each in first] == [1] * 3


@pytest.mark.requirement("E88", "RF-04")
def test_of_two_reuses_at_one_moment_the_second_is_recorded_as_refused(
    app: App, launch: Issue, refresh: Refresh, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one ends the family when this one has already seen that it lives."""
    first = launch()
    assert refresh(first).status_code == 200
    end, inner = access.end_authorization, []

    def end_after_another(*arguments: Any) -> Any:
        monkeypatch.setattr(access, "end_authorization", end)
        other = app.send_later("/o/token", **refreshing(first))
        assert wait_until(other.done)
        inner.append(other.result())
        return end(*arguments)

    monkeypatch.setattr(access, "end_authorization", end_after_another)

    outer = refresh(first)

    assert_refused(outer)
    assert_refused(inner[0])
    client_id = first["granted"].client.client_id
    assert len(events("refresh-reused", client=client_id)) == 1
    (refused,) = events("refresh-refused", client=client_id)
    assert refused.reason == "the authorization has ended"
