"""A waiting request ends at its moment, also between the page and its answer (AZ-20, PR-08)."""

from typing import Any

import pytest

from oauth.authorization.pending_request import AlreadyAnswered, Expired, Pending
from oauth.models import Authorization, PendingRequest
from smart.time_units import CLOCK_SKEW
from tests.fixture_types import MakeClient, MakePerson, SetClock
from tests.oauth.visitor import Visitor, redirect_query


@pytest.fixture
def row(visitor: Visitor, make_client: MakeClient) -> Any:
    client = make_client()
    visitor.ask(client)
    return PendingRequest.objects.get(client=client)


@pytest.mark.requirement("PR-08", "AZ-20")
@pytest.mark.parametrize(("late", "lives"), [(-1, True), (0, False)], ids=["before", "at"])
def test_the_consent_page_is_answered_until_the_last_moment(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, set_clock: SetClock, late: int, lives: bool
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))

    set_clock(PendingRequest.objects.get(client=client).expires_at + late)
    shown = visitor.request("GET", page.url.path)
    response = visitor.allow(page)

    assert (shown.status_code, response.status_code) == ((200, 303) if lives else (403, 403))
    assert Authorization.objects.filter(client=client).count() == lives
    assert not lives or redirect_query(response)["code"]


@pytest.mark.requirement("PR-08", "E40")
def test_an_answer_that_is_written_when_the_request_is_over_came_late(row: Any) -> None:
    pending = Pending.of(row, "handle")

    with pytest.raises(Expired):
        pending.answer(now=row.expires_at)

    assert PendingRequest.objects.get(pk=row.pk).answered_at == 0
    pending.answer(now=row.expires_at - 1)
    with pytest.raises(AlreadyAnswered):
        pending.answer(now=row.expires_at - 1)


@pytest.mark.requirement("PR-08", "E40")
def test_an_answer_before_the_request_is_none_beyond_the_skew_of_clocks(row: Any) -> None:
    pending = Pending.of(row, "handle")

    with pytest.raises(Expired):
        pending.answer(now=row.created_at - CLOCK_SKEW - 1)

    pending.answer(now=row.created_at - CLOCK_SKEW)
