"""The end of a whole client or FHIR server is one increment; that its rows say so may come later."""

import secrets
from typing import Any

import pytest
from django.db import OperationalError, transaction

from accounts import clock
from accounts.models import RateCount
from oauth import tasks
from oauth.ending import access, marks
from oauth.ending.first_reason import with_first_reason
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor, Selection
from oauth.models import AccessToken, Authorization, Client, Code, FhirServer, UnmarkedEnding
from tests.fixture_types import Events, Introspect, Issue, MakeClient

WHOLE = {"client": EndedFor.CLIENT_ENDED, "fhir_server": EndedFor.FHIR_SERVER_ENDED}


def told(row: Any) -> tuple[str, int]:
    """What the row says of its end."""
    found = Authorization.objects.get(pk=row.pk)
    return found.ended_for, found.ended_at


@pytest.mark.requirement("RV-08", "SD-05")
@pytest.mark.parametrize("name", WHOLE)
def test_what_was_stopped_before_it_marked_a_row_has_ended_everything_and_a_sweep_marks_them(
    issue: Issue, introspect: Introspect, events: Events, name: str
) -> None:
    issued, reason, now = issue(), WHOLE[name], clock.now()
    row = issued["granted"].authorization

    ended = access.end_epoch(getattr(row, name), Actor(now=now), reason)

    assert introspect(issued["access_token"]) == {"active": False}
    assert told(row) == ("", 0)
    assert with_first_reason(AccessToken.objects.filter(authorization=row), now=now).get().first_reason == reason
    assert [event.reason for event in events(reason)[-1:]] == [str(ended)]
    tasks.sweep()
    assert told(row) == (reason, now)
    assert not UnmarkedEnding.objects.exists()


@pytest.mark.requirement("RV-05", "RV-08")
@pytest.mark.parametrize("later", ["fhir_server", "user"])
def test_a_later_ending_leaves_rows_to_the_one_that_ended_them(issue: Issue, later: str) -> None:
    now, row = clock.now(), issue()["granted"].authorization
    access.end_epoch(row.client, Actor(now=now), EndedFor.CLIENT_DISABLED)

    reason = EndedFor.FHIR_SERVER_ENDED if later == "fhir_server" else EndedFor.PERSON_ENDED
    access.end(Selection.everything(getattr(row, later)), Actor(now=now + 1), reason)

    marks.mark_all()
    assert told(row) == ("client-disabled", now)


@pytest.mark.requirement("RV-08")
def test_the_end_of_a_whole_client_waits_for_no_other_transaction(issue: Issue) -> None:
    client = issue()["granted"].client

    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        access.end(Selection.everything(client), Actor(now=clock.now()), EndedFor.CLIENT_ENDED)

    client.refresh_from_db()
    assert client.epoch == 0


@pytest.mark.requirement("RV-05", "RV-08")
def test_the_first_reason_stands_where_the_first_ending_is_marked_last(
    issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, row, mark = clock.now(), issue()["granted"].authorization, marks._mark
    access.end_epoch(row.client, Actor(now=now), EndedFor.CLIENT_ENDED)

    def fail_at_the_client(ending: UnmarkedEnding) -> int:
        if ending.client_id:
            raise OperationalError("the database is gone")
        return mark(ending)

    monkeypatch.setattr(marks, "_mark", fail_at_the_client)
    access.end(Selection.everything(row.fhir_server), Actor(now=now + 1), EndedFor.FHIR_SERVER_ENDED)
    monkeypatch.undo()
    marks.mark_all()

    assert told(row) == ("client-ended", now)
    assert not UnmarkedEnding.objects.exists()


def test_rows_are_marked_in_batches_and_what_ran_out_before_keeps_its_cause(
    issue: Issue, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "AT_ONCE", 2)
    client = make_client()
    rows = [issue(client)["granted"].authorization for _ in range(5)]
    now = clock.now()
    for tokens in (AccessToken.objects, Code.objects):
        tokens.filter(authorization=rows[2]).update(expires_at=now)

    access.end(Selection.everything(client), Actor(now=now), EndedFor.CLIENT_ENDED)

    assert [told(row)[0] for row in rows] == ["client-ended", "client-ended", "", "client-ended", "client-ended"]


@pytest.mark.requirement("RV-08")
@pytest.mark.parametrize("name", WHOLE)
def test_of_several_all_are_dead_before_one_of_them_is_marked_and_a_failure_ends_nothing_less(
    issue: Issue, introspect: Introspect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    issued, reason, now = [issue(), issue()], WHOLE[name], clock.now()
    rows = [each["granted"].authorization for each in issued]
    mark, dead = marks._mark, []

    def fail_at_the_first(ending: UnmarkedEnding) -> int:
        dead.append([introspect(each["access_token"]) for each in issued])
        if len(dead) == 1:
            raise OperationalError("the database is gone")
        return mark(ending)

    monkeypatch.setattr(marks, "_mark", fail_at_the_first)

    access.end_all({getattr(row, name) for row in rows}, Actor(now=now), reason)

    assert dead[0] == [{"active": False}] * 2
    assert "is not marked yet" in caplog.text
    monkeypatch.undo()
    tasks.sweep()
    assert [told(row) for row in rows] == [(reason, now)] * 2
    assert not UnmarkedEnding.objects.exists()


@pytest.mark.requirement("RV-08")
def test_an_ending_that_can_never_be_marked_stops_no_sweep_and_no_other_ending(
    issue: Issue, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole, now = make_client(), make_client(), clock.now()
    row = issue(whole)["granted"].authorization
    mark, old = marks._mark, RateCount.objects.create(key=secrets.token_hex(8), count=1, window_ends_at=1)
    for client in (broken, whole):
        access.end_epoch(client, Actor(now=now), EndedFor.CLIENT_ENDED)

    def fail(ending: UnmarkedEnding) -> int:
        if ending.client_id == broken.pk:
            raise OverflowError("a number that fits into no row")
        return mark(ending)

    monkeypatch.setattr(marks, "_mark", fail)

    tasks.sweep()

    assert told(row) == ("client-ended", now)
    assert not RateCount.objects.filter(pk=old.pk).exists()
    assert [ending.client_id for ending in UnmarkedEnding.objects.all()] == [broken.pk]
    monkeypatch.undo()
    marks.mark_all()


def one_of_each(client: Client) -> dict[str, Any]:
    return {"client": client, "fhir_server": FhirServer.objects.create(base=f"https://{secrets.token_hex(8)}.test")}


def live_row(whole: dict[str, Any], **epochs: int) -> Authorization:
    """An authorization with a token that has not run out, granted under these epochs."""
    known = {"client_epoch": 0, "fhir_server_epoch": 0, **epochs}
    row = Authorization.objects.create(patient=secrets.token_hex(4), **{**whole, **known})
    digest, now = secrets.token_hex(32), clock.now()
    AccessToken.objects.create(
        authorization=row, digest=digest, authorization_epoch=0, claims="{}", issued_at=now, expires_at=now + 10**9
    )
    return row


@pytest.mark.requirement("RV-08")
@pytest.mark.parametrize("name", WHOLE)
def test_an_ending_marks_what_was_granted_there_under_its_epoch_and_counts_it(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(marks, "AT_ONCE", 1)
    marks.mark_all()
    wholes = [one_of_each(make_client()) for _ in range(2)]
    third = {f"{name}_epoch": 3}
    here, elsewhere = (live_row({**wholes[0], name: whole[name]}, **third) for whole in wholes)
    also_here, later = (live_row(wholes[0], **{f"{name}_epoch": epoch}) for epoch in (3, 4))
    now = clock.now()

    UnmarkedEnding.objects.create(**{name: wholes[0][name]}, epoch=3, ended_at=now, reason="operator")

    assert [marks.mark_all(), marks.mark_all()] == [2, 0]
    assert [told(row) for row in (here, also_here)] == [("operator", now)] * 2
    assert [told(row) for row in (elsewhere, later)] == [("", 0)] * 2
    for whole, epoch in ((wholes[0], 4), (wholes[1], 3)):
        UnmarkedEnding.objects.create(**{name: whole[name]}, epoch=epoch, ended_at=now, reason="operator")
    assert marks.mark_all() == 2


@pytest.mark.requirement("RV-05", "RV-08")
@pytest.mark.parametrize(("name", "other"), [("client", "fhir_server"), ("fhir_server", "client")])
def test_what_an_earlier_ending_ended_is_left_to_it_and_what_was_granted_after_it_is_not(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, name: str, other: str
) -> None:
    marks.mark_all()
    whole = one_of_each(make_client())
    before, after = (live_row(whole, **{f"{name}_epoch": epoch}) for epoch in (2, 3))
    first = UnmarkedEnding.objects.create(**{name: whole[name]}, epoch=2, ended_at=clock.now(), reason="first")
    later = UnmarkedEnding.objects.create(**{other: whole[other]}, epoch=0, ended_at=clock.now(), reason="later")
    mark = marks._mark

    def fail_at_the_first(ending: UnmarkedEnding) -> int:
        if ending == first:
            raise OperationalError("the database is gone")
        return mark(ending)

    monkeypatch.setattr(marks, "_mark", fail_at_the_first)
    assert marks.mark_all() == 1
    assert [told(before), told(after)] == [("", 0), ("later", later.ended_at)]
    monkeypatch.undo()
    assert marks.mark_all() == 1
    assert told(before) == ("first", first.ended_at)


@pytest.mark.requirement("RV-08")
@pytest.mark.parametrize("name", WHOLE)
def test_what_no_ending_marked_for_a_service_is_marked_by_the_sweep(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As what was granted while its client ended: under an epoch that was over then."""
    monkeypatch.setattr(marks, "AT_ONCE", 1)
    whole = one_of_each(make_client())
    lost, has = [live_row(whole, **{f"{name}_epoch": 1000}) for _ in range(2)], live_row(whole)

    tasks.sweep()

    found = [Authorization.objects.get(pk=row.pk) for row in lost]
    assert [(row.ended_for, row.ended_at > 0, row.epoch) for row in found] == [(WHOLE[name], True, 1)] * 2
    assert told(has) == ("", 0)


def test_what_an_ending_has_not_marked_yet_is_left_to_it_which_knows_the_reason(make_client: MakeClient) -> None:
    row, now = live_row(one_of_each(make_client())), clock.now()
    access.end_epoch(row.client, Actor(now=now), EndedFor.CLIENT_DISABLED)

    marks.mark_what_services_lost(now=now + 1)
    assert told(row) == ("", 0)
    tasks.sweep()

    assert told(row) == ("client-disabled", now)
