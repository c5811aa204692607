"""An event is written with everything that it says, and with an id that no other has."""

import json
import secrets
from typing import Any

import pytest
from django.db import connection, connections
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext

from audit import shipping
from audit.event_kinds import EventKind
from audit.models import Outbox, OutboxEvent, SecurityEvent
from audit.trail import Event, outbox_row, record_events

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def event() -> Event:
    """One that says something in each column."""
    texts = {name: f"the {name}" for name in Event._fields if name not in {"kind", "at"}}
    return Event(kind=EventKind.ISSUED, at=7, **{**texts, "client": f"test-{secrets.token_hex(8)}"})


@pytest.mark.requirement("SD-10", "HI-08")
def test_every_column_is_written_and_shipped_as_it_is(event: Event) -> None:
    record_events(event, event._replace(at=8))

    waiting = list(OutboxEvent.objects.filter(client=event.client).order_by("at"))
    written = [{"event_id": row.event_id, **event._asdict(), "at": row.at} for row in waiting]
    assert [model_to_dict(row, exclude=["id"]) for row in waiting] == written
    assert [row.at for row in waiting] == [7, 8]
    assert len({row.event_id for row in waiting}) == 2

    shipping.ship()

    shipped = SecurityEvent.objects.filter(client=event.client).order_by("at")
    assert [model_to_dict(row, exclude=["id"]) for row in shipped] == written
    assert not OutboxEvent.objects.filter(client=event.client).exists()


@pytest.mark.requirement("SD-10")
@pytest.mark.postgresql  # which takes 65,535
def test_a_row_with_more_events_than_a_statement_takes_values_is_shipped(event: Event) -> None:
    record_events(*[Event(EventKind.ISSUED, 7, client=event.client)] * 66_000)

    shipping.ship()

    assert SecurityEvent.objects.filter(client=event.client).count() == 66_000
    assert not OutboxEvent.objects.filter(client=event.client).exists()


@pytest.mark.requirement("SD-10")
@pytest.mark.postgresql  # SQLite gives a number that is above all others
def test_an_event_whose_number_another_row_of_the_trail_has_waits_for_the_next_try(event: Event) -> None:
    record_events(event._replace(client="before"))
    shipping.ship()
    taken = SecurityEvent.objects.earliest("pk").pk
    record_events(event)
    set_back = "SELECT setval(pg_get_serial_sequence('audit_securityevent', 'id'), %s, false)"
    with connections["audit"].cursor() as cursor:
        cursor.execute(set_back, [taken])

    with pytest.raises(shipping.NotTaken, match="has taken 0 of 1 events"):
        shipping.ship()
    assert OutboxEvent.objects.filter(client=event.client).count() == 1
    with connections["audit"].cursor() as cursor:
        cursor.execute(set_back, [SecurityEvent.objects.latest("pk").pk + 1])
    shipping.ship()

    assert SecurityEvent.objects.filter(client=event.client).count() == 1
    assert not OutboxEvent.objects.filter(client=event.client).exists()


@pytest.mark.requirement("SD-10")
def test_shipping_counts_what_it_shipped_in_several_batches(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    shipping.ship()
    monkeypatch.setattr(shipping, "BATCH", 2)
    record_events(*[event] * 5)

    assert [shipping.ship(), shipping.ship()] == [5, 0]


@pytest.mark.requirement("SD-10")
def test_an_event_is_shipped_also_where_the_trail_has_its_number_already(event: Event) -> None:
    record_events(event._replace(client="before"))
    shipping.ship()
    taken = SecurityEvent.objects.earliest("pk").pk
    record_events(event)
    Outbox.objects.filter(pk=Outbox.objects.latest("pk").pk).update(id=taken)  # lower, and free again

    shipping.ship()

    assert SecurityEvent.objects.filter(client=event.client).count() == 1


@pytest.mark.requirement("SD-10")
def test_what_one_call_tells_is_one_row_which_is_as_old_as_the_oldest_of_it(event: Event) -> None:
    before = Outbox.objects.count()

    record_events(event, event._replace(at=3), event._replace(at=5))

    row = Outbox.objects.latest("pk")
    assert Outbox.objects.count() == before + 1
    assert (row.at, row.number, [each["at"] for each in json.loads(row.events)]) == (3, 3, [7, 3, 5])


@pytest.mark.requirement("SD-10")
def test_the_events_of_one_row_stand_in_their_order_before_those_of_the_next(event: Event) -> None:
    record_events(*(event._replace(reason=str(number)) for number in range(12)))
    record_events(event._replace(reason="12"))

    found = OutboxEvent.objects.filter(client=event.client)
    assert [each.reason for each in found.order_by("pk")] == [str(number) for number in range(13)]
    assert len({each.pk for each in found}) == 13


@pytest.mark.requirement("SD-10")
def test_an_event_is_written_with_every_column_of_the_trail_and_none_that_is_empty(event: Event) -> None:
    full, short = json.loads(outbox_row([event, Event(kind=EventKind.ISSUED, at=0)]).events)

    assert full.keys() == {field.name for field in SecurityEvent._meta.get_fields()} - {"id"}
    assert {**full, "event_id": ""} == {**event._asdict(), "event_id": ""}
    assert short.keys() == {"event_id", "kind", "at"}
    assert short["at"] == 0


@pytest.mark.requirement("SD-10", "HI-08")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("""a "b" \\ 'c' %s ü \U0001f600\n""", """a "b" \\ 'c' %s ü \U0001f600\n"""),
        ("\\u0000", "\\u0000"),
        ("\0 and \\u0000", "\ufffd and \\u0000"),
        ('[{"at":1}]', '[{"at":1}]'),
        ("7", "7"),
    ],
    ids=["signs of JSON and SQL", "how JSON escapes NUL", "NUL", "a list in JSON", "a number"],
)
def test_what_a_caller_sent_is_read_and_shipped_as_text(event: Event, sent: str, kept: str) -> None:
    record_events(event._replace(presented=sent))

    waiting = OutboxEvent.objects.get(client=event.client)
    shipping.ship()

    assert (waiting.presented, SecurityEvent.objects.get(client=event.client).presented) == (kept, kept)


@pytest.mark.requirement("SD-10")
def test_half_a_character_is_refused_where_it_is_written_and_not_where_it_is_read(event: Event) -> None:
    with pytest.raises(UnicodeEncodeError):
        record_events(event._replace(presented="\ud800"))

    assert not OutboxEvent.objects.filter(client=event.client).exists()


@pytest.mark.requirement("SD-10")
def test_no_more_than_a_batch_is_in_memory_at_once_but_for_a_row_that_has_more(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipping.ship()
    monkeypatch.setattr(shipping, "BATCH", 4)
    copied, copy = [], SecurityEvent.objects.bulk_create
    for number in (2, 2, 1, 6, 1):
        record_events(*[event] * number)

    def counted(copies: list[SecurityEvent], **options: Any) -> Any:
        copied.append(len(copies))
        return copy(copies, **options)

    monkeypatch.setattr(SecurityEvent.objects, "bulk_create", counted)

    assert shipping.ship() == 12
    assert copied == [4, 1, 6, 1]


@pytest.mark.requirement("SD-10")
def test_no_more_rows_than_a_batch_are_looked_at_to_find_the_oldest(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipping.ship()
    monkeypatch.setattr(shipping, "BATCH", 3)
    for _ in range(5):
        record_events(event)

    with CaptureQueriesContext(connection) as asked:
        shipping.ship()

    looked = [each["sql"] for each in asked if '"number" FROM' in each["sql"]]
    assert [sql[-8:].strip() for sql in looked] == ["LIMIT 3"] * 3  # three rows, two, and none


@pytest.mark.requirement("SD-10")
def test_a_member_that_only_a_newer_release_knows_keeps_no_event_from_being_shipped(
    event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = f"member_{secrets.token_hex(4)}"
    record_events(event, event._replace(at=8))
    row = Outbox.objects.latest("pk")
    row.events = json.dumps([{**each, unknown: "its value"} for each in json.loads(row.events)])
    row.save()

    shipping.ship()

    shipped = SecurityEvent.objects.filter(client=event.client).order_by("at")
    assert [(each.at, each.presented) for each in shipped] == [(7, event.presented), (8, event.presented)]
    told = [record.getMessage() for record in caplog.records if record.name == "audit.shipping"]
    assert told == [f"the trail has no column for {unknown}: events are shipped without it; is the worker older?"]


def test_where_nothing_happened_nothing_is_written(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        record_events()
