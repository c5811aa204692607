"""Reading the trail: what is shipped and what waits together, in the order in which it happened, each once."""

import secrets
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import Q
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext

from audit import reading
from audit.event_kinds import EventKind
from audit.models import Outbox, OutboxEvent, SecurityEvent
from audit.reading import NewEvents, newest_events
from audit.trail import Event, record_events

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def client() -> str:
    """A client that only this test writes about."""
    return f"test-{secrets.token_hex(8)}"


def wait(client: str, at: int, reason: str = "", **about: Any) -> OutboxEvent:
    """An event in the outbox."""
    record_events(Event(kind=EventKind.ISSUED, client=client, at=at, reason=reason or str(at), **about))
    return OutboxEvent.objects.latest("pk")


def remove(event: OutboxEvent) -> None:
    """The event is in a row of its own."""
    Outbox.objects.filter(events__contains=event.event_id).delete()


def copy(event: OutboxEvent) -> None:
    """As shipping does it first; the event still waits too."""
    SecurityEvent.objects.create(**model_to_dict(event, exclude=["id"]))


def ship(event: OutboxEvent) -> None:
    copy(event)
    remove(event)


def reasons(events: Any) -> list[str]:
    return [event.reason for event in events]


@pytest.mark.requirement("HI-08")
def test_the_newest_of_both_places_stand_oldest_first_each_once(client: str) -> None:
    for at in (50, 10, 30):
        ship(wait(client, at))
    for at in (40, 20):
        wait(client, at)
    copy(wait(client, 60))
    wait("another", 70)

    wait(client, 5)
    for at_most, expected in ((9, [5, 10, 20, 30, 40, 50, 60]), (3, [40, 50, 60]), (1, [60])):
        assert reasons(newest_events(Q(client=client), at_most=at_most)) == [str(at) for at in expected]


def test_of_one_moment_what_was_recorded_later_is_newer(client: str) -> None:
    for reason in ("first", "second", "third"):
        wait(client, 10, reason)

    assert reasons(newest_events(Q(client=client), at_most=2)) == ["second", "third"]
    for event in OutboxEvent.objects.filter(client=client).order_by("pk"):
        ship(event)
    assert reasons(newest_events(Q(client=client), at_most=2)) == ["second", "third"]


def test_what_fits_one_of_several_conditions_is_found_once(client: str) -> None:
    wait(client, 10, token="7", authorization="8")
    wait(client, 20, authorization="8")
    wait(client, 30, token="7")
    ship(wait(client, 40, authorization="8"))
    ship(wait(client, 50, token="7"))

    found = newest_events(Q(client=client, token="7"), Q(client=client, authorization="8"), at_most=9)

    assert reasons(found) == ["10", "20", "30", "40", "50"]


@pytest.mark.requirement("HI-08")
def test_what_is_shipped_between_two_reads_of_the_trail_is_not_missed(client: str) -> None:
    event, asked = wait(client, 10), []

    def ship_before_the_second(execute: Any, sql: str, *arguments: Any) -> Any:
        asked.append(sql)
        if len(asked) == 2:
            ship(event)
        return execute(sql, *arguments)

    with connections["audit"].execute_wrapper(ship_before_the_second):
        found = newest_events(Q(client=client), Q(client=f"not-{client}"), at_most=9)

    assert reasons(found) == ["10"]


def test_what_is_new_comes_once_in_order_wherever_it_is(client: str) -> None:
    ship(wait(client, 10))
    before = wait(client, 20)
    following = NewEvents(Q(client=client))
    seen = [reasons(following.read())]

    ship(before)
    later = wait(client, 40)
    ship(wait(client, 30))
    wait("another", 35)
    ship(wait("another", 36))
    seen += [reasons(following.read()), reasons(following.read())]
    copy(later)
    seen.append(reasons(following.read()))
    remove(later)
    seen.append(reasons(following.read()))

    assert seen == [[], ["30", "40"], [], [], []]


def test_what_was_read_elsewhere_is_left_out_wherever_it_is(client: str) -> None:
    following = NewEvents(Q(client=client))
    ship(wait(client, 10))
    wait(client, 20)
    following.leave_out(newest_events(Q(client=client), at_most=9))
    wait(client, 30)

    assert [reasons(following.read()), reasons(following.read())] == [["30"], []]


def test_what_waits_when_following_begins_is_known_by_its_ids_alone(client: str) -> None:
    wait(client, 10)

    with CaptureQueriesContext(connection) as asked:
        NewEvents(Q(client=client))

    (ids,) = [each["sql"] for each in asked if "audit_outbox" in each["sql"]]
    assert ids.startswith('SELECT "audit_outboxevent"."event_id" AS')


def test_what_is_shipped_while_it_is_read_comes_next_time(client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    following, last = NewEvents(Q(client=client)), reading._last_shipped()
    ship(wait(client, 10))

    monkeypatch.setattr(reading, "_last_shipped", lambda: last)
    seen = [reasons(following.read())]
    monkeypatch.undo()

    assert [*seen, reasons(following.read()), reasons(following.read())] == [[], ["10"], []]


def test_the_first_event_of_an_empty_trail_is_new(client: str) -> None:
    with transaction.atomic(using="audit"):
        SecurityEvent.objects.all().delete()
        following = NewEvents(Q(client=client))
        SecurityEvent.objects.create(pk=1, kind=EventKind.ISSUED, client=client, at=10, reason="the first")

        seen = reasons(following.read())
        transaction.set_rollback(True, using="audit")

    assert seen == ["the first"]
