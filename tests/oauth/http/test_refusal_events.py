"""What a browser was refused: of a flood a few events, and between them no statement."""

import secrets
from typing import Any

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts import clock
from audit.event_kinds import EventKind
from audit.models import OutboxEvent
from oauth.http import refusal_events
from oauth.http.refusal_events import record_refusal
from smart.explanation import Explanation
from smart.http.addresses import normalize
from smart.time_units import SECOND
from tests.fixture_types import SetClock

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.requirement("AZ-25", "SD-20")]


@pytest.fixture
def address(settings: Any) -> str:
    """Of a stranger who asks a server outside development."""
    settings.SMARTAUTH_DEV = False
    return normalize(f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::7")


def refuse(address: str, times: int = 1) -> int:
    """So many refusals of one case. How many statements they cost."""
    request = RequestFactory().get("/o/authorize", REMOTE_ADDR=address)
    with CaptureQueriesContext(connection) as statements:
        for _ in range(times):
            record_refusal(request, EventKind.FORM_REFUSED, Explanation("AZ-20", "CSRF token missing.", case="E40"))
    return len(statements)


def told(address: str) -> list[str]:
    return list(OutboxEvent.objects.filter(address=address).order_by("pk").values_list("reason", flat=True))


def test_of_a_flood_what_leaves_no_event_costs_no_statement(address: str) -> None:
    costs = [refuse(address) > 0 for _ in range(100)]

    assert costs == [True] * 10 + [False] * 89 + [True]
    assert told(address)[9:] == ["CSRF token missing.", "CSRF token missing., 100 so far"]
    assert len(told(address)) == 11


def test_all_addresses_of_one_network_are_one_flood(address: str) -> None:
    refuse(address, 10)

    assert refuse(address.replace("::7", "::8")) == 0


def test_what_other_processes_told_is_not_told_again(address: str) -> None:
    refuse(address, 10)
    refusal_events._counted_here.clear()  # as in a process that has seen none of them

    refuse(address, 100)

    assert told(address)[10:] == ["CSRF token missing., 110 so far"]


def test_a_new_window_tells_the_first_few_again(address: str, settings: Any, set_clock: SetClock) -> None:
    refuse(address, 11)
    set_clock(clock.now() + settings.SMARTAUTH_FAILURE_WINDOW_SECONDS * SECOND)

    assert refuse(address) > 0
    assert len(told(address)) == 11


def test_this_process_remembers_so_many_callers_and_no_more(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal_events, "MOST_COUNTED", 3)
    refusal_events._counted_here.clear()

    for last in range(8):
        refuse(f"192.0.2.{last}")

    assert len(refusal_events._counted_here) <= 3
