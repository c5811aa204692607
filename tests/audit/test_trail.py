"""An event is written with everything that it says, and with an id that no other has."""

import secrets

import pytest
from django.forms.models import model_to_dict

from audit import shipping
from audit.event_kinds import EventKind
from audit.models import OutboxEvent, SecurityEvent
from audit.trail import Event, event_rows, record_events

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
def test_shipping_counts_what_it_shipped_in_several_batches(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    shipping.ship()
    monkeypatch.setattr(shipping, "BATCH", 2)
    record_events(*[event] * 5)

    assert [shipping.ship(), shipping.ship()] == [5, 0]


@pytest.mark.requirement("SD-10")
def test_an_event_is_shipped_also_where_the_trail_has_its_number_already(event: Event) -> None:
    record_events(event)
    number = OutboxEvent.objects.get(client=event.client).pk
    if not SecurityEvent.objects.filter(pk=number).exists():
        SecurityEvent.objects.create(pk=number, kind="issued", at=1)

    shipping.ship()

    assert SecurityEvent.objects.filter(client=event.client).count() == 1


@pytest.mark.requirement("SD-10")
def test_the_row_of_an_event_names_every_column_of_the_outbox(event: Event) -> None:
    (row,) = event_rows([event])

    assert row.keys() == {field.name for field in OutboxEvent._meta.get_fields()} - {"id"}
    assert {**row, "event_id": ""} == {**event._asdict(), "event_id": ""}
