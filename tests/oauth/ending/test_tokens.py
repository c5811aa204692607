"""One access token ends, and its event says whose it was."""

import secrets
from typing import Any

import pytest

from accounts import clock
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.ending.tokens import END_BY_DIGEST, END_BY_ID, end_token
from oauth.models import AccessToken, Authorization
from tests.fixture_types import Events, MakeClient


@pytest.mark.requirement("RV-08", "HI-08")
@pytest.mark.parametrize("statement", [END_BY_ID, END_BY_DIGEST], ids=["by its number", "by its digest"])
def test_a_token_of_a_service_ends_once_and_its_event_names_no_person(
    make_client: MakeClient, fhir_server: Any, events: Events, statement: Any
) -> None:
    row = Authorization.objects.create(
        client=make_client("secret"), fhir_server=fhir_server, client_epoch=0, fhir_server_epoch=fhir_server.epoch
    )
    digest, now = secrets.token_hex(32), clock.now()
    token = AccessToken.objects.create(
        authorization=row, digest=digest, authorization_epoch=0, claims="{}", issued_at=now, expires_at=now + 10**9
    )
    value = token.pk if statement is END_BY_ID else digest

    ended = [end_token(statement, [value], Actor(now=now), EndedFor.OPERATOR) for _ in range(2)]

    assert ended == [True, False]
    (event,) = events("revoked", token=str(token))
    assert (event.person, event.client, event.reason) == ("", row.client.client_id, "operator")
