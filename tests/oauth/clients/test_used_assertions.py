"""An assertion is good once: what is remembered of it, and for how long."""

from typing import Any

import pytest
from django.db import OperationalError

from accounts import clock, rate_limit
from oauth.clients import gathered_clients, signed_assertion
from smart.clients.assertions import Assertion
from smart.time_units import SECOND
from tests.conftest import App, Granted
from tests.fixture_types import MakeClient
from tests.oauth.clients.assertion_client import EC, RSA, at, exchange, is_refused, still_works
from tests.signing import assertion_form, claims_of, jwks, new_pair


@pytest.fixture(autouse=True)
def nobody_failed_before(committed: None) -> None:
    """Failures of callers that name no client are counted together; those of other tests are not ours."""
    rate_limit.forget_failures("client", "", "192.0.2.7")


# Once -----------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("E72", "CL-06")
@pytest.mark.parametrize("path", ["/o/token", "/o/introspect", "/o/revoke"])
def test_an_assertion_is_good_once_wherever_it_is_shown_again(app: App, granted: Granted, path: str) -> None:
    assertion = EC.assertion(granted.client.client_id)
    assert at(app, "/o/revoke", assertion).status_code == 200

    assert is_refused(at(app, path, assertion))


@pytest.mark.requirement("E72", "CL-06")
def test_the_same_jti_under_another_signature_is_the_same(app: App, granted: Granted) -> None:
    client_id = granted.client.client_id
    assert at(app, "/o/revoke", EC.assertion(client_id, jti="chosen")).status_code == 200

    assert is_refused(at(app, "/o/revoke", RSA.assertion(client_id, jti="chosen")))


@pytest.mark.requirement("E73")
def test_another_client_may_use_the_same_jti(app: App, granted: Granted, make_client: MakeClient) -> None:
    other = make_client("keys", jwks=jwks(EC))

    answers = [at(app, "/o/revoke", EC.assertion(c.client_id, jti="common")) for c in (granted.client, other)]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.requirement("CL-06")
@pytest.mark.parametrize("path", ["/o/token", "/o/revoke"])
def test_an_assertion_is_used_up_also_where_the_request_fails_afterwards(app: App, granted: Granted, path: str) -> None:
    assertion = EC.assertion(granted.client.client_id)

    failed = app.post(path, data=assertion_form(assertion))

    assert (failed.status_code, failed.json()["error"]) == (400, "invalid_request")
    assert is_refused(exchange(app, granted, assertion))
    assert still_works(app, granted)


@pytest.mark.requirement("CL-06")
def test_a_jti_is_remembered_only_when_the_signature_is_good(app: App, granted: Granted) -> None:
    client_id = granted.client.client_id
    forged = new_pair("ES384", EC.kid).assertion(client_id, jti="theirs")

    assert is_refused(at(app, "/o/revoke", forged))
    assert at(app, "/o/revoke", EC.assertion(client_id, jti="theirs")).status_code == 200


@pytest.mark.requirement("CL-06")
def test_of_one_whose_use_was_not_heard_nobody_says_that_it_was_used_before(
    app: App, granted: Granted, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_up = signed_assertion._use_up

    def lose_the_answer(assertion: Assertion, signer: signed_assertion.Signer) -> bool:
        monkeypatch.setattr(signed_assertion, "_use_up", use_up)
        use_up(assertion, signer)
        raise OperationalError("the connection is lost")

    async def goes_alone(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(gathered_clients, "gathered_answer", goes_alone)
    monkeypatch.setattr(signed_assertion, "_use_up", lose_the_answer)
    assertion = EC.assertion(granted.client.client_id)

    answers = [exchange(app, granted, assertion) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [503, 401]
    assert answers[0].headers["retry-after"] == "5"
    assert still_works(app, granted)


@pytest.mark.requirement("CL-06")
@pytest.mark.parametrize("jti", ["a" * 256, "\ud800", "\u0000", "e\u0301", "'; DROP TABLE oauth_assertionid; --"])
def test_a_jti_may_be_any_text(app: App, granted: Granted, jti: str) -> None:
    answers = [at(app, "/o/revoke", EC.assertion(granted.client.client_id, jti=jti)) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 401]


@pytest.mark.requirement("CL-06")
def test_a_jti_is_forgotten_only_after_the_assertion_is_too_old(app: App, granted: Granted) -> None:
    from oauth.models import AssertionId
    from oauth.retention.sweeping import sweep

    assertion = EC.assertion(granted.client.client_id)
    at(app, "/o/revoke", assertion)
    rows = AssertionId.objects.filter(client=granted.client)

    sweep()
    assert is_refused(at(app, "/o/revoke", assertion))
    (row,) = rows
    assert row.forget_at > (claims_of("x")["exp"] + 59) * SECOND
    rows.update(forget_at=clock.now() - 61 * SECOND)
    sweep()

    assert not rows.exists()


def test_no_assertion_and_no_jti_lies_in_the_database(app: App, granted: Granted) -> None:
    from django.apps import apps

    assertion = EC.assertion(granted.client.client_id, jti="a-jti-to-look-for")
    at(app, "/o/revoke", assertion)

    kept = [
        str(value)
        for label in ("oauth", "audit", "accounts")
        for model in apps.get_app_config(label).get_models()
        if label != "audit" or model.__name__ == "Outbox"
        for row in model._default_manager.values_list()
        for value in row
    ]
    assert not [value for value in kept if "a-jti-to-look-for" in value or assertion.rpartition(".")[2] in value]
