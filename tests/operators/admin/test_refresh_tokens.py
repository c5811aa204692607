"""Refresh tokens in the list of the operators: what became of each, whose it is, and the end of what it stands for."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from accounts import clock
from oauth.models import Authorization, RefreshToken, public_reference
from smart.time_units import SECOND
from tests.fixture_types import Grant
from tests.operators.admin.conftest import Operator

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
LIST = "oauth/refreshtoken"


@pytest.fixture
def make_refresh(grant: Grant) -> Callable[..., RefreshToken]:
    """A refresh token as the token endpoint writes it."""

    def make(granted: Any = None, **fields: Any) -> RefreshToken:
        now = clock.now()
        authorization = (granted or grant()).authorization
        known = {"authorization_epoch": 0, "issued_at": now, "expires_at": now + 300 * SECOND, **fields}
        return RefreshToken.objects.create(digest=secrets.token_hex(32), authorization=authorization, **known)

    return make


def listed(operator: Operator, *tokens: RefreshToken, **query: str) -> list[RefreshToken]:
    """Which of these tokens the list shows."""
    shown = {row.pk for row in operator.get(f"{LIST}/", **query).context["cl"].result_list}
    return [token for token in tokens if token.pk in shown]


def row_of(operator: Operator, token: RefreshToken) -> str:
    return operator.page(f"{LIST}/", authorization=str(token.authorization))


def test_a_filter_shows_the_refresh_tokens_of_its_state(
    operator: Operator, make_refresh: Callable[..., RefreshToken]
) -> None:
    unused, used, expired = make_refresh(), make_refresh(consumed_at=1), make_refresh(expires_at=clock.now())

    found = [listed(operator, unused, used, expired, state=state) for state in ("unused", "used", "expired")]

    assert found == [[unused], [used], [expired]]


@pytest.mark.requirement("RF-08")
def test_a_row_says_what_became_of_the_token(operator: Operator, make_refresh: Callable[..., RefreshToken]) -> None:
    ended = make_refresh()
    Authorization.objects.filter(pk=ended.authorization.pk).end("operator", now=clock.now())

    for token, tag in (
        (make_refresh(), 'sa-good">unused<'),
        (make_refresh(consumed_at=1), 'sa-tag">used<'),
        (make_refresh(expires_at=clock.now()), 'sa-tag">expired<'),
        (make_refresh(authorization_epoch=7), 'sa-bad">ended<'),
        (ended, 'sa-bad">ended<'),
    ):
        assert tag in row_of(operator, token)


def test_a_refresh_token_is_found_by_its_authorization_and_named_by_client_and_person(
    operator: Operator, make_refresh: Callable[..., RefreshToken]
) -> None:
    token, of_service = make_refresh(), make_refresh()
    Authorization.objects.filter(pk=of_service.authorization.pk).update(user=None)

    row, person = row_of(operator, token), token.authorization.user

    assert listed(operator, token, of_service, q=f" {token.authorization} ") == [token]
    assert listed(operator, token, of_service, q=" ") == [token, of_service]
    assert person
    assert token.authorization.client.client_id in row
    assert f'<td class="field-person">{person.username}</td>' in row
    assert '<td class="field-person">-</td>' in row_of(operator, of_service)


def test_the_page_of_a_refresh_token_ends_its_authorization_and_leads_to_the_events_of_it(
    operator: Operator, make_refresh: Callable[..., RefreshToken]
) -> None:
    token = make_refresh()

    acts = operator.get(f"{LIST}/{token.pk}/change/").context["acts"]
    history = operator.get(f"{LIST}/{token.pk}/history/")

    assert acts == [("end_authorizations", "End the authorizations of these tokens")]
    assert history["Location"] == f"/admin/audit/securityevent/?authorization={token.authorization}"


@pytest.mark.requirement("RV-08")
def test_before_the_authorizations_of_refresh_tokens_end_their_numbers_are_shown(
    operator: Operator, grant: Grant, make_refresh: Callable[..., RefreshToken]
) -> None:
    granted = grant()
    tokens, other = [make_refresh(granted, consumed_at=1), make_refresh(granted)], make_refresh()

    asked = operator.act(LIST, "end_authorizations", *tokens).content.decode()
    operator.confirm(LIST, "end_authorizations", *tokens)

    assert all(public_reference(token.pk) in asked for token in tokens)
    assert "1 authorization of 1 person for 1 client" in asked
    assert "Ended 1 authorization and their tokens." in operator.page(f"{LIST}/")
    ended = {row.pk: row.ended_for for row in Authorization.objects.all()}
    assert (ended[granted.authorization.pk], ended[other.authorization.pk]) == ("operator", "")
