"""An app that shows an ID token expects the person that it names: a request is judged with that."""

from typing import Any

import pytest

from oauth.authorization.authorize import _judge_and_store, _policy
from smart.authorize.unvalidated_request import ClientPolicy
from smart.http.errors import InvalidRequest
from smart.http.parameters import Parameters
from tests.conftest import REDIRECT_URI
from tests.fixture_types import MakeClient
from tests.oauth.authorization.waiting_requests import browser


@pytest.mark.requirement("E43", "AZ-22")
def test_a_request_is_judged_with_the_person_that_its_hint_names(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, judged = make_client(), []

    def judge(parameters: Parameters, allowed: ClientPolicy, bases: Any, *, hinted_subject: str) -> None:
        judged.append((allowed, hinted_subject))
        raise InvalidRequest("judged")

    monkeypatch.setattr("oauth.authorization.authorize.validate_request", judge)
    monkeypatch.setattr("oauth.authorization.authorize._hinted_subject", lambda parameters: parameters["id_token_hint"])
    hinted = Parameters.parse(b"id_token_hint=amy")

    response = _judge_and_store(browser(), hinted, client, _policy(client), REDIRECT_URI)

    assert judged == [(_policy(client), "amy")]
    assert "error_description=judged" in response["Location"]
