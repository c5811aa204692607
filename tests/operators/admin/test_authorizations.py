"""Authorizations in the list of the operators: what became of each, whose it is, and flags that are cleared."""

from typing import Any

import pytest

from accounts import clock
from oauth.models import Authorization
from tests.fixture_types import Events, Grant
from tests.operators.admin.conftest import Operator

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
LIST = "oauth/authorization"


def made(grant: Grant, **fields: Any) -> Authorization:
    """An authorization with these columns."""
    row = grant().authorization
    Authorization.objects.filter(pk=row.pk).update(**fields)
    return Authorization.objects.get(pk=row.pk)


def listed(operator: Operator, *rows: Authorization, **query: str) -> list[Authorization]:
    """Which of these authorizations the list shows."""
    shown = {row.pk for row in operator.get(f"{LIST}/", **query).context["cl"].result_list}
    return [row for row in rows if row.pk in shown]


def test_a_filter_shows_the_authorizations_of_its_state(operator: Operator, grant: Grant) -> None:
    gone = {"epoch": 1, "ended_at": 1, "ended_for": "operator"}
    live, flagged = made(grant), made(grant, flagged_at=clock.now())
    ended, both = made(grant, **gone), made(grant, flagged_at=clock.now(), **gone)

    found = [listed(operator, live, flagged, ended, both, state=state) for state in ("live", "flagged", "ended")]

    assert found == [[live, flagged], [flagged], [ended, both]]


def test_a_row_says_what_became_of_the_authorization(operator: Operator, grant: Grant) -> None:
    gone = {"epoch": 1, "ended_at": 1, "ended_for": "person"}
    for row, tag in (
        (made(grant), 'sa-good">live<'),
        (made(grant, flagged_at=1), 'sa-warn">flagged<'),
        (made(grant, flagged_at=1, **gone), 'sa-bad">taken back<'),
        (made(grant, client_epoch=-1), "client&#x27;s access ended<"),
    ):
        assert tag in operator.page(f"{LIST}/", q=str(row))


def test_an_authorization_is_found_by_its_number_person_client_and_patient(operator: Operator, grant: Grant) -> None:
    row, other = made(grant, patient=f"p-{operator.user.pk}"), made(grant)
    assert row.user

    for term in (str(row), row.user.username, row.client.client_id, row.patient):
        assert listed(operator, row, other, q=term) == [row]
    assert listed(operator, row, other, q="nobody-at-all") == []


def test_an_authorization_of_a_service_is_nobodys(operator: Operator, grant: Grant) -> None:
    row = made(grant, user=None, patient="", context="{}")

    page = operator.page(f"{LIST}/{row.pk}/change/")

    assert "nobody (backend service)" in page
    assert f"/admin/oauth/accesstoken/?authorization={row}" in page
    assert f"/admin/oauth/refreshtoken/?authorization={row}" in page


@pytest.mark.parametrize(("fields", "offered"), [
    ({}, ["end"]), ({"flagged_at": 1}, ["end", "clear_flag"]), ({"ended_at": 1, "epoch": 1}, []),
    ({"ended_at": 1, "epoch": 1, "flagged_at": 1}, ["clear_flag"]),
])  # fmt: skip
def test_its_page_offers_what_can_still_be_done(
    operator: Operator, grant: Grant, fields: dict[str, int], offered: list[str]
) -> None:
    row = made(grant, **fields)

    acts = operator.get(f"{LIST}/{row.pk}/change/").context["acts"]

    assert [name for name, _ in acts] == offered


def test_the_history_of_an_authorization_is_its_events(operator: Operator, grant: Grant) -> None:
    row = made(grant)

    answer = operator.get(f"{LIST}/{row.pk}/history/")

    assert answer["Location"] == f"/admin/audit/securityevent/?authorization={row}"


def test_who_clears_a_flag_is_asked_why_and_told_where_it_will_stand(operator: Operator, grant: Grant) -> None:
    row = made(grant, flagged_at=1)

    first, again = operator.act(LIST, "clear_flag", row), operator.confirm(LIST, "clear_flag", row, reason="")

    for asked in (first, again):
        assert "The reason stands in the security events." in asked.content.decode()
    assert [asked.context["error"] for asked in (first, again)] == ["", "Say in a line why the flag is cleared."]


@pytest.mark.requirement("PR-06")
def test_only_flags_that_are_set_are_cleared_and_told(operator: Operator, grant: Grant, events: Events) -> None:
    flagged, plain, other = made(grant, flagged_at=1), made(grant), made(grant, flagged_at=1)

    operator.confirm(LIST, "clear_flag", flagged, plain, reason="called back")

    assert "Cleared 1 flag." in operator.page(f"{LIST}/")
    (event,) = events("flag-cleared", operator=operator.user.subject)
    assert (event.authorization, event.address) == (str(flagged), "127.0.0.1")
    other.refresh_from_db()
    assert other.flagged_at == 1


@pytest.mark.parametrize(("reason", "taken"), [("x", True), ("x" * 500, True), ("x" * 501, False), ("a\u202eb", False)])
def test_a_reason_is_a_line_of_plain_text(operator: Operator, grant: Grant, reason: str, taken: bool) -> None:
    row = made(grant, flagged_at=1)

    operator.confirm(LIST, "clear_flag", row, reason=reason)

    row.refresh_from_db()
    assert (row.flagged_at == 0) is taken
