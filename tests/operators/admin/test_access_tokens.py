"""Access tokens in the list of the operators: under what became of each first, found by whole names, and ended."""

from typing import Any

import pytest

from accounts import clock
from oauth.models import AccessToken, Authorization, Seat, public_reference
from smart.time_units import SECOND
from tests.fixture_types import Grant, MakeToken
from tests.operators.admin.conftest import Operator

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
LIST = "oauth/accesstoken"


def listed(operator: Operator, *tokens: AccessToken, **query: str) -> list[AccessToken]:
    """Which of these tokens the list shows."""
    shown = {row.pk for row in operator.get(f"{LIST}/", **query).context["cl"].result_list}
    return [token for token in tokens if token.pk in shown]


def changed(authorization: Authorization, **fields: Any) -> None:
    Authorization.objects.filter(pk=authorization.pk).update(**fields)


def test_a_filter_shows_the_tokens_that_came_to_that_end_first(
    operator: Operator, grant: Grant, make_token: MakeToken
) -> None:
    now, alone, twice, late, taken, noticed = clock.now(), grant(), grant(), grant(), grant(), grant()
    over = {"issued_at": now - 60 * SECOND, "expires_at": now - 10 * SECOND}
    tokens = {
        "live": make_token(),
        "superseded": make_token(alone),
        "newer": make_token(alone),
        "superseded, and over by now": make_token(twice, **over),
        "also newer": make_token(twice, issued_at=now - 20 * SECOND),
        "expired": make_token(**over),
        "expired, and superseded by now": make_token(late, **over),
        "newer, and too late": make_token(late),
        "expired, and ended by now": make_token(taken, **over),
        "ended": make_token(taken),
        "flagged": make_token(noticed),
        "flagged, and over": make_token(noticed, **over),
        "changed": make_token(revoked_at=now - SECOND, revoked_for="tampered"),
    }
    Seat.objects.filter(accesstoken__authorization__in=[taken.authorization, noticed.authorization]).update(
        latest_number=0
    )
    changed(taken.authorization, epoch=1, ended_at=now - 5 * SECOND, ended_for="operator")
    changed(noticed.authorization, flagged_at=now)

    names = {token.pk: name for name, token in tokens.items()}
    states = ("live", "flagged", "superseded", "expired", "tampered", "ended")
    found = {state: {names[one.pk] for one in listed(operator, *tokens.values(), state=state)} for state in states}

    assert found == {
        "live": {"live", "newer", "also newer", "newer, and too late", "flagged"},
        "flagged": {"flagged"},
        "superseded": {"superseded", "superseded, and over by now"},
        "expired": {"expired", "expired, and superseded by now", "expired, and ended by now", "flagged, and over"},
        "tampered": {"changed"},
        "ended": {"changed", "ended"},
    }


def test_a_token_is_found_by_its_number_its_person_and_its_client(operator: Operator, make_token: MakeToken) -> None:
    token, other = make_token(), make_token()
    authorization, person = token.authorization, token.authorization.user
    assert person

    for term in (public_reference(token.pk), person.username, authorization.client.client_id):
        assert listed(operator, token, other, q=term) == [token]
    assert listed(operator, token, other, authorization=str(authorization)) == [token]
    assert listed(operator, token, other, q="nobody-at-all") == []


def test_a_row_names_client_and_person_and_has_a_dash_for_what_is_not_there(
    operator: Operator, make_token: MakeToken
) -> None:
    token, of_service = make_token(), make_token(address="")
    person = token.authorization.user
    assert person
    changed(of_service.authorization, user=None, patient="")

    row = operator.page(f"{LIST}/", q=public_reference(token.pk))
    service = operator.page(f"{LIST}/", q=public_reference(of_service.pk))

    assert f'href="/admin/oauth/client/{token.authorization.client.pk}/change/"' in row
    assert f'href="/admin/accounts/user/{person.pk}/change/"' in row
    for column, value in (("patient", "amy"), ("address_", "192.0.2.7")):
        assert f'<td class="field-{column}">{value}</td>' in row
    for column in ("person", "patient", "address_"):
        assert f'<td class="field-{column}">-</td>' in service


def test_who_has_no_right_to_see_tokens_sees_none(operator: Operator, make_token: MakeToken) -> None:
    token = make_token()
    operator.user.is_superuser = False
    operator.user.save()

    pages = (f"{LIST}/", f"{LIST}/{token.pk}/change/")

    assert [operator.get(page).status_code for page in pages] == [403, 403]


def test_the_history_of_a_token_is_its_events(operator: Operator, make_token: MakeToken) -> None:
    token = make_token()

    answer = operator.get(f"{LIST}/{token.pk}/history/")

    assert answer["Location"] == f"/admin/audit/securityevent/?token={token}"


@pytest.mark.requirement("RV-08")
def test_what_has_ended_before_is_not_counted_again(operator: Operator, make_token: MakeToken) -> None:
    live, dead = make_token(), make_token(revoked_at=1, revoked_for="revoked")

    asked = operator.act(LIST, "end", live, dead).content.decode()
    operator.confirm(LIST, "end", live, dead)

    assert "1 live token. The authorizations stay" in asked
    assert "Ended 1 token." in operator.page(f"{LIST}/")
    dead.refresh_from_db()
    assert dead.revoked_for == "revoked"


@pytest.mark.requirement("RV-08")
def test_where_one_token_cannot_be_ended_none_is(
    operator: Operator, make_token: MakeToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    from oauth.ending.tokens import end_token

    first, second = make_token(), make_token()

    def failing(statement: Any, values: Any, *others: Any) -> bool:
        if values == [second.pk]:
            raise RuntimeError("broken on the way")
        return end_token(statement, values, *others)

    monkeypatch.setattr("operators.admin.access_tokens.end_token", failing)
    with pytest.raises(RuntimeError, match="broken on the way"):
        operator.confirm(LIST, "end", first, second)

    first.refresh_from_db()
    assert first.revoked_at == 0


@pytest.mark.requirement("RV-08")
def test_ending_the_authorizations_of_tokens_ends_each_once_and_no_other(
    operator: Operator, grant: Grant, make_token: MakeToken
) -> None:
    granted = grant()
    tokens, other = [make_token(granted) for _ in range(2)], make_token()

    asked = operator.act(LIST, "end_authorizations", *tokens).content.decode()
    operator.confirm(LIST, "end_authorizations", *tokens)

    assert "1 authorization of 1 person for 1 client" in asked
    assert "Ended 1 authorization and their tokens." in operator.page(f"{LIST}/")
    ended = {row.pk: row.ended_for for row in Authorization.objects.all()}
    assert (ended[granted.authorization.pk], ended[other.authorization.pk]) == ("operator", "")
