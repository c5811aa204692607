"""The end of a whole client or FHIR server is one increment; that its rows say so may come later."""

from typing import Any

import pytest
from django.db import transaction

from accounts import clock
from oauth import tasks
from oauth.ending import access, marks
from oauth.ending.access import Actor, Selection
from oauth.ending.first_reason import with_first_reason
from oauth.ending.reasons import EndedFor
from oauth.models import AccessToken, Authorization, Code, UnmarkedEnding
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
