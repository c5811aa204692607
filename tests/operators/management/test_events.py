"""`manage.py events`: what happened, wherever the events are, each once."""

import json
import secrets
import time
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from accounts import clock
from audit.event_kinds import EventKind
from audit.reading import NewEvents, newest_events
from audit.shipping import ship
from audit.trail import Event, record_events
from operators.management.commands import events as command
from tests.fixture_types import MakePerson

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def client() -> str:
    """A client that only this test writes about."""
    return f"test-{secrets.token_hex(8)}"


def record(client: str, kind: EventKind = EventKind.ISSUED, **about: Any) -> None:
    with transaction.atomic():
        record_events(Event(kind=kind, at=clock.now(), client=client, **about))


def events(*arguments: str) -> list[Any]:
    """What the command prints, line by line."""
    out = StringIO()
    call_command("events", *arguments, "--json", stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_those_of_the_trail_and_those_that_wait_stand_in_one_list(client: str) -> None:
    record(client)
    ship()
    record(client, EventKind.REVOKED, reason="revocation")

    assert [each["kind"] for each in events("--client", client)] == ["issued", "revoked"]
    assert [each["kind"] for each in events("--client", client, "--last", "1")] == ["revoked"]
    assert events("--client", client, "--last", "0") == []
    assert [each["reason"] for each in events("--client", client, "--kind", "revoked")] == ["revocation"]


def test_a_person_is_named_by_user_name_or_sub(client: str, make_person: MakePerson) -> None:
    person = make_person()
    record(client, person=person.subject)

    assert events("--person", person.username) == events("--person", person.subject) != []


def test_a_kind_that_nobody_records_is_a_mistake() -> None:
    with pytest.raises(CommandError, match="No event is of the kind isued;"):
        events("--kind", "isued")


def test_fewer_than_none_is_a_mistake() -> None:
    with pytest.raises(CommandError, match="--last: -1 is less than 0"):
        events("--last", "-1")


def test_lines_for_people_name_what_is_known(client: str) -> None:
    record(client, address="192.0.2.7")
    out = StringIO()

    call_command("events", "--client", client, stdout=out)

    assert out.getvalue().rstrip().endswith(f"  issued  client={client}  address=192.0.2.7")


def test_what_is_followed_comes_once_though_it_moves(client: str) -> None:
    record(client)
    following = NewEvents(Q(client=client))

    seen: list[list[str]] = []
    record(client, EventKind.REVOKED)
    seen.append([each.kind for each in following.read()])
    ship()
    seen.append([each.kind for each in following.read()])
    record(client, EventKind.REFRESHED)
    ship()
    seen.append([each.kind for each in following.read()])

    assert seen == [["revoked"], [], ["refreshed"]]
    assert [each.kind for each in newest_events(Q(client=client), at_most=9)] == ["issued", "revoked", "refreshed"]


def test_without_follow_what_waits_is_read_once(client: str) -> None:
    record(client)

    with CaptureQueriesContext(connection) as asked:
        assert len(events("--client", client)) == 1

    assert len([each for each in asked if 'FROM "audit_outboxevent"' in each["sql"]]) == 1


def test_what_is_recorded_while_following_begins_is_printed_once(client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def record_and_read(*wanted: Q, at_most: int) -> Any:
        record(client)
        return newest_events(*wanted, at_most=at_most)

    def stop(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "newest_events", record_and_read)
    monkeypatch.setattr(command, "time", SimpleNamespace(monotonic=time.monotonic, sleep=stop))

    assert [each["kind"] for each in events("--client", client, "--follow")] == ["issued"]


@pytest.mark.parametrize(("took", "rest"), [(0.1, 0.5), (7.0, 7.0)])
def test_following_rests_for_as_long_as_it_read(
    client: str, monkeypatch: pytest.MonkeyPatch, took: float, rest: float
) -> None:
    now, rests = [100.0], []

    def read(self: NewEvents) -> list[Any]:
        now[0] += took
        return []

    def stop(seconds: float) -> None:
        rests.append(seconds)
        raise KeyboardInterrupt

    monkeypatch.setattr(NewEvents, "read", read)
    monkeypatch.setattr(command, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=stop))
    events("--client", client, "--follow")

    assert rests == [pytest.approx(rest)]
