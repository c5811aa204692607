"""What the page of connected apps says of access that has ended."""

import re
from typing import Any

import pytest

from accounts import clock
from oauth.connected_apps.wording import day_text
from oauth.ending.access import end
from oauth.ending.reasons import REASONS, EndedFor
from oauth.ending.selection import Actor, Selection
from oauth.models import (
    AccessToken,
    Authorization,
    Client,
    public_reference,
)
from tests.conftest import SECRET, App, Granted, basic
from tests.fixture_types import Issue, MakeClient
from tests.oauth.connected_apps.page_reader import DAY, page_text, rows
from tests.oauth.visitor import Visitor

# What has ended -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", EndedFor)
def test_an_ended_authorization_says_why(mine: Visitor, amy: Any, issue: Issue, reason: EndedFor) -> None:
    made = issue(person=amy)["granted"]
    Authorization.objects.filter(pk=made.authorization.pk).end(reason, now=clock.now())

    ((app, record, at, why),) = rows(mine)

    assert (app, record, why) == ("Growth Chart", "yours", REASONS[reason].person)
    assert at.startswith("today, ")


@pytest.mark.parametrize("reason", [EndedFor.OPERATOR, EndedFor.REVOKED, EndedFor.TAMPERED])
def test_a_revoked_last_token_says_why(mine: Visitor, amy: Any, issue: Issue, reason: EndedFor) -> None:
    made = issue(person=amy)["granted"]
    tokens = AccessToken.objects.filter(authorization=made.authorization)
    tokens.update(revoked_at=clock.now(), revoked_for=reason)

    assert rows(mine)[0][3] == REASONS[reason].person


def test_time_that_ran_out_is_told_also_after_the_sign_out(mine: Visitor, amy: Any, issue: Issue) -> None:
    made = issue(person=amy)["granted"]
    aged(made, 3 * DAY)
    Authorization.objects.filter(pk=made.authorization.pk).end("signed-out", now=clock.now())

    ((_, _, at, why),) = rows(mine)

    assert why == "time ran out"
    assert re.fullmatch(r"\d+ \w+ \d{4}", at)


def aged(made: Granted, by: int) -> None:
    """As if it had been allowed that long ago, for five minutes."""
    then = clock.now() - by
    Authorization.objects.filter(pk=made.authorization.pk).update(granted_at=then)
    made.authorization.codes.update(issued_at=then, expires_at=then + 60_000_000)
    AccessToken.objects.filter(authorization=made.authorization).update(issued_at=then, expires_at=then + 300_000_000)


def test_newer_access_replaces_older(mine: Visitor, amy: Any, make_client: MakeClient, issue: Issue) -> None:
    client = make_client()
    issue(client, amy)
    issue(client, amy)

    ((_, _, at, why),) = rows(mine)

    assert why == "newer access replaced it"
    assert at.startswith("today, ")
    assert page_text(mine).count("Take back access") == 1


def test_what_ran_out_before_it_was_replaced_ran_out(
    mine: Visitor, amy: Any, make_client: MakeClient, issue: Issue
) -> None:
    client = make_client()
    aged(issue(client, amy)["granted"], DAY * 2)
    issue(client, amy)

    assert rows(mine)[0][3] == "time ran out"


def test_what_the_operators_ended_is_told_with_its_time(mine: Visitor, amy: Any, issue: Issue) -> None:
    made = issue(person=amy)["granted"]
    end(Selection.everything(made.client), Actor(now=clock.now()), EndedFor.CLIENT_DISABLED)

    ((_, _, at, why),) = rows(mine)

    assert at.startswith("today, ")
    assert why == "the operators ended it"


def test_what_an_epoch_alone_has_ended_is_told_without_a_time(mine: Visitor, amy: Any, issue: Issue) -> None:
    made = issue(person=amy)["granted"]
    Client.objects.filter(pk=made.client.pk).disable()

    assert rows(mine)[0][2:] == ["not noted", "the operators ended it"]
    aged(made, DAY * 2)
    assert rows(mine)[0][3] == "time ran out"


def test_ninety_days_later_nothing_is_listed(mine: Visitor, amy: Any, issue: Issue) -> None:
    aged(issue(person=amy)["granted"], 89 * DAY)
    aged(issue(person=amy)["granted"], 91 * DAY)

    assert len(rows(mine)) == 1


@pytest.mark.parametrize(
    ("ago", "text"), [(0, "today, 12:00 UTC"), (DAY, "yesterday, 12:00 UTC"), (2 * DAY, "20 November 2026")]
)
def test_days_in_words(ago: int, text: str) -> None:
    noon = 1_795_348_800_000_000

    assert day_text(noon - ago, now=noon) == text


def test_a_client_that_revokes_says_so_here(
    mine: Visitor, amy: Any, app: App, make_client: MakeClient, issue: Issue
) -> None:
    client = make_client("secret")
    answer = issue(client, amy)

    app.post("/o/revoke", data={"token": answer["access_token"]}, headers=basic(client.client_id, SECRET))

    assert rows(mine)[0][3] == REASONS[EndedFor.REVOKED].person
    assert public_reference(answer["granted"].authorization.pk) not in page_text(mine)
