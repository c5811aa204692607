"""Without a token nobody fills the store: refusals are counted by address and window."""

import json
from typing import Any

import pytest
from django.db import OperationalError

from fhir import clock
from fhir.audit import strangers as module
from fhir.audit.models import Entry, WaitingEvent
from fhir.audit.outbox import record
from fhir.audit.shipping import ship
from fhir.audit.strangers import Strangers

pytestmark = [
    pytest.mark.django_db(databases=["default", "audit"]),
    pytest.mark.usefixtures("empty_trail"),
    pytest.mark.requirement("SD-10", "SD-20"),
]

BASE = "http://127.0.0.1:8000/fhir/r4"
NOW = 1_795_000_200  # begins no window


@pytest.fixture(autouse=True)
def window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW * 1_000_000)


def come(strangers: Strangers, *addresses: str, status: int = 401) -> None:
    for address in addresses:
        strangers.add("r4", BASE, address, status)


def waiting() -> dict[tuple[str, int], int]:
    found = [(json.loads(row.facts), row.count) for row in WaitingEvent.objects.all()]
    return {(facts["address"], facts["status"]): count for facts, count in found}


def test_refusals_of_one_address_are_one_event_with_a_count(counted: Strangers) -> None:
    come(counted, "203.0.113.1", "203.0.113.1", "203.0.113.2")
    counted.flush()
    come(counted, "203.0.113.1")
    counted.flush()
    counted.flush()

    assert waiting() == {("203.0.113.1", 401): 3, ("203.0.113.2", 401): 1}


def test_processes_count_into_one_event(counted: Strangers) -> None:
    other = Strangers()
    other._thread = counted._thread
    for each in (counted, other):
        come(each, "203.0.113.1")
        each.flush()

    assert waiting() == {("203.0.113.1", 401): 2}


def test_all_addresses_of_an_ipv6_network_are_one(counted: Strangers) -> None:
    come(counted, "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
    counted.flush()

    assert sorted(waiting().values()) == [1, 2]


def test_addresses_on_top_of_a_bound_are_counted_together(counted: Strangers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ADDRESSES", 3)

    come(counted, *(f"203.0.113.{last}" for last in range(10)))
    counted.flush()

    assert (len(waiting()), waiting()["", 401]) == (4, 7)


def test_an_event_waits_for_the_end_of_its_window_and_says_how_many(counted: Strangers) -> None:
    come(counted, "203.0.113.1", "203.0.113.1")
    counted.flush()

    assert ship(NOW * 1_000_000) == 0
    assert ship((NOW + 700) * 1_000_000) == 1

    event: dict[str, Any] = json.loads(Entry.objects.get().content)
    assert event["outcomeDesc"] == "401 Unauthorized, 2 times within 600 seconds"
    assert event["agent"] == [{"requestor": True, "network": {"address": "203.0.113.1", "type": "2"}}]


def test_what_cannot_be_written_waits(counted: Strangers, monkeypatch: pytest.MonkeyPatch) -> None:
    come(counted, "203.0.113.1")
    with monkeypatch.context() as broken:
        broken.setattr(module, "record", lambda rows: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            counted.flush()
    come(counted, "203.0.113.1")
    counted.flush()

    assert waiting() == {("203.0.113.1", 401): 2}


def test_more_than_one_statement_takes_are_written_in_parts_and_none_twice(
    counted: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    come(counted, *(f"203.0.113.{last}" for last in range(5)))
    written: list[int] = []

    def until_the_second(rows: Any) -> None:
        if len(rows) > 2 or written == [2]:
            raise OperationalError
        record(rows)
        written.append(len(rows))

    with monkeypatch.context() as broken:
        broken.setattr(module, "record", until_the_second)
        with pytest.raises(OperationalError):
            counted.flush()
    assert written == [2]
    counted.flush()

    assert waiting() == {(f"203.0.113.{last}", 401): 1 for last in range(5)}


def test_what_waits_has_a_bound_also_while_the_database_is_slow_to_fail(
    counted: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 2)

    def while_others_come(rows: Any) -> None:
        come(counted, *(f"198.51.100.{last}" for last in range(5)))
        raise OperationalError

    come(counted, *(f"203.0.113.{last}" for last in range(5)))
    with monkeypatch.context() as broken:
        broken.setattr(module, "record", while_others_come)
        with pytest.raises(OperationalError):
            counted.flush()
    counted.flush()

    assert len(waiting()) == 2
