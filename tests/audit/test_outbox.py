"""An event lives and dies with the change it records, and is shipped exactly once."""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import connection, connections, transaction

from accounts import clock
from audit.event_kinds import EventKind
from audit.models import Outbox, OutboxEvent, SecurityEvent
from audit.shipping import ship
from audit.trail import Event, record_events
from tests.conftest import App
from tests.fixture_types import Events, Grant

pytestmark = pytest.mark.usefixtures("committed")


class Killed(BaseException):
    """The end of a process, as far as one process can have it and go on."""


def elsewhere(work: Callable[[], Any]) -> Any:
    """The result of work done by another thread, on connections of its own."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(work())
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    return results[0]


@pytest.fixture
def client() -> str:
    """A client that only this test writes about."""
    return f"test-{secrets.token_hex(8)}"


def waiting(client: str) -> int:
    return OutboxEvent.objects.filter(client=client).count()


def shipped(client: str) -> int:
    return SecurityEvent.objects.filter(client=client).count()


def write(client: str, events: int = 1) -> None:
    with transaction.atomic():
        record_events(
            *(
                Event(kind=EventKind.ISSUED, client=client, at=clock.now(), person=f"subject-{number}")
                for number in range(events)
            )
        )


@pytest.mark.requirement("SD-10")
def test_an_issue_that_is_rolled_back_leaves_no_event(grant: Grant) -> None:
    from oauth.models import AccessToken, public_reference
    from oauth.tokens.authorization_state import AuthorizationState
    from oauth.tokens.issue import issue

    made = grant()
    authorization = public_reference(made.authorization.pk)

    with suppress(Killed), transaction.atomic():
        issue(AuthorizationState.of(made.authorization.pk), now=clock.now(), address="")
        assert OutboxEvent.objects.filter(authorization=authorization).exists()
        assert not elsewhere(lambda: OutboxEvent.objects.filter(authorization=authorization).exists())
        raise Killed

    assert not OutboxEvent.objects.filter(authorization=authorization).exists()
    assert not AccessToken.objects.filter(authorization=made.authorization).exists()


def test_an_exchange_and_its_event_are_there_together(app: App, grant: Grant, events: Events) -> None:
    from oauth.models import public_reference

    made = grant()

    response = app.post("/o/token", data=made.exchange())

    assert response.status_code == 200
    assert len(events("issued", authorization=public_reference(made.authorization.pk))) == 1


@pytest.mark.requirement("SD-10")
def test_shipping_moves_every_event_to_the_audit_database(client: str) -> None:
    write(client, 3)

    ship()

    assert (waiting(client), shipped(client)) == (0, 3)
    people = SecurityEvent.objects.filter(client=client).order_by("pk").values_list("person", flat=True)
    assert list(people) == ["subject-0", "subject-1", "subject-2"]


def test_more_than_a_batch_is_shipped_in_one_go(client: str) -> None:
    write(client, 1100)

    ship()

    assert (waiting(client), shipped(client)) == (0, 1100)


@contextmanager
def killed_before(verb: str) -> Iterator[None]:
    """Dies at the first statement of the main database that begins so."""

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(verb):
            raise Killed
        return execute(sql, params, many, context)

    with suppress(Killed), connection.execute_wrapper(wrapper):
        yield


def test_killed_between_copy_and_delete_it_ships_nothing_twice(client: str) -> None:
    ship()  # what other tests wrote would fill the first batch
    write(client, 5)

    with killed_before("DELETE"):
        ship()
    between = waiting(client), shipped(client)
    ship()

    assert between == (5, 5)
    assert (waiting(client), shipped(client)) == (0, 5)


def test_two_shippers_at_once_ship_everything_once(client: str) -> None:
    write(client, 800)
    barrier = threading.Barrier(2)

    def run() -> None:
        barrier.wait()
        ship()
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert (waiting(client), shipped(client)) == (0, 800)


@pytest.mark.postgresql
def test_an_event_that_is_committed_late_is_not_skipped(client: str) -> None:
    with transaction.atomic():
        record_events(Event(kind=EventKind.ISSUED, client=client, at=clock.now(), person="late"))
        elsewhere(lambda: write(client))
        elsewhere(ship)
        early = elsewhere(lambda: shipped(client))

    ship()

    assert early == 1
    assert shipped(client) == 2


@pytest.mark.requirement("SD-10")
def test_an_event_that_is_committed_between_copy_and_delete_is_not_deleted(
    client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its transaction began before that of the event which is shipped, so that its number is lower."""
    ship()
    write(client)
    late = Outbox.objects.get()
    late.delete()
    write(client)
    uncommitted = [Outbox(pk=Outbox.objects.get().pk - 1, at=late.at, number=late.number, events=late.events)]
    copy = SecurityEvent.objects.bulk_create

    def copy_while_it_is_committed(*copies: Any, **options: Any) -> Any:
        copied = copy(*copies, **options)
        if uncommitted:
            uncommitted.pop().save(force_insert=True)
        return copied

    monkeypatch.setattr(SecurityEvent.objects, "bulk_create", copy_while_it_is_committed)
    ship()

    assert (waiting(client), shipped(client)) == (0, 2)
