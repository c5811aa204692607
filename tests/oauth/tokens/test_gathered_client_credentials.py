"""client_credentials that arrive together: one transaction, and each request as it would have been alone."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from oauth.models import Client, Seat
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Events, Introspect, MakeClient
from tests.oauth.tokens.gathered import Posted, Together
from tests.signing import assertion_form, jwks, pair

pytestmark = pytest.mark.postgresql
SCOPE = "system/Patient.r"


@pytest.fixture
def together(app: App, monkeypatch: pytest.MonkeyPatch) -> Together:
    return Together(app, monkeypatch)


@pytest.fixture
def make_service(app: App, make_client: MakeClient) -> MakeClient:
    """A backend service that has its authorization already."""

    def make(authentication: str = "secret", **fields: Any) -> Any:
        known = {"grants": "client_credentials", "redirect_uris": "", "scope": SCOPE, "backend_by_secret": 1}
        client = make_client(authentication, **{**known, **fields})
        if authentication == "secret":
            assert app.post("/o/token", **asking(client)).status_code == 200
        return client

    return make


def asking(client: Client, secret: str = SECRET, **changes: str) -> Posted:
    form = {"grant_type": "client_credentials", "scope": SCOPE, **changes}
    return {"data": form, "headers": basic(client.client_id, secret)}


def test_they_are_one_read_and_one_write_where_nothing_supersedes(
    together: Together, make_service: MakeClient, events: Events
) -> None:
    services = [make_service(supersede="off") for _ in range(3)]

    answers = together.post("/o/token", *[asking(service) for service in services * 4])

    assert [answer.status_code for answer in answers] == [200] * 12
    assert [[text.split()[0] for text in each] for each in together.round_trips] == [["SELECT"], ["WITH"]]
    assert [len(events("issued", client=service.client_id)) for service in services] == [5, 5, 5]


@pytest.mark.requirement("PR-01", "BK-07")
@pytest.mark.parametrize("keep", [1, 3])
def test_they_take_the_numbers_of_their_seat_in_the_order_of_arrival(
    together: Together, make_service: MakeClient, introspect: Introspect, events: Events, keep: int
) -> None:
    service = make_service(tokens_to_keep=keep)

    answers = together.post("/o/token", *[asking(service)] * 20)

    tokens = [answer.json()["access_token"] for answer in answers]
    assert [introspect(token)["active"] for token in tokens] == [False] * (20 - keep) + [True] * keep
    assert [[text.split()[0] for text in each] for each in together.round_trips] == [
        ["SELECT"],
        ["BEGIN", "INSERT", "SELECT"],
        ["WITH", "COMMIT"],
    ]
    issued = [event.token for event in events("issued", client=service.client_id)]
    superseded = events("superseded", client=service.client_id)
    assert (len(issued), [event.token for event in superseded]) == (21, issued[:-keep])
    assert [event.reason for event in superseded] == [f"by token {token}" for token in issued[keep:]]


@pytest.mark.requirement("CL-15")
def test_one_refused_request_disturbs_nobody_and_its_event_is_written(
    together: Together, make_service: MakeClient, events: Events
) -> None:
    good, other, disabled = make_service(), make_service(), make_service()
    Client.objects.filter(pk=disabled.pk).update(enabled=0)
    first_time = make_service("none")

    answers = together.post(
        "/o/token",
        asking(good),
        asking(good, secret="wrong"),
        asking(good, scope="patient/*.rs"),
        asking(good, grant_type="client_credentials", aud="https://elsewhere.example.org"),
        asking(disabled),
        asking(first_time),
        {"data": asking(good)["data"], "headers": basic("nobody", SECRET)},
        asking(other),
    )

    assert [answer.status_code for answer in answers] == [200, 401, 400, 400, 401, 401, 401, 200]
    (refused,) = events("client-authentication-failed", client=good.client_id)
    assert refused.address == "192.0.2.7"
    assert len(events("issued", client=good.client_id)) == 2


def test_a_request_that_needs_its_authorization_made_or_changed_goes_alone(
    together: Together, make_service: MakeClient, introspect: Introspect
) -> None:
    changed, new = make_service(), make_service("keys", jwks=jwks(pair("ES384")))
    Client.objects.filter(pk=changed.pk).update(scope="system/Observation.rs")
    assertion = pair("ES384").assertion(new.client_id)

    answers = together.post(
        "/o/token",
        asking(changed, scope="system/Observation.r"),
        {"data": {"grant_type": "client_credentials", "scope": SCOPE, **assertion_form(assertion)}},
    )

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [introspect(answer.json()["access_token"])["active"] for answer in answers] == [True, True]


@pytest.mark.requirement("CL-06")
def test_an_assertion_is_verified_before_and_counts_once(
    app: App, together: Together, make_service: MakeClient
) -> None:
    signer = make_service("keys", jwks=jwks(pair("ES384")))
    form = {"grant_type": "client_credentials", "scope": SCOPE}
    app.post("/o/token", data={**form, **assertion_form(pair("ES384").assertion(signer.client_id))})
    once = {"data": {**form, **assertion_form(pair("ES384").assertion(signer.client_id))}}

    answers = together.post("/o/token", once, once, once)

    assert sorted(answer.status_code for answer in answers) == [200, 401, 401]
    assert len([each for each in together.round_trips if each[0].startswith("WITH") or "COMMIT" in each]) == 1


def test_a_seat_that_somebody_else_holds_stops_only_those_who_need_it(
    together: Together, make_service: MakeClient, held_elsewhere: Callable[[Any], None]
) -> None:
    stuck, other = make_service(), make_service()
    held_elsewhere(Seat.objects.filter(key__startswith=f"client|{stuck.pk}|"))

    assert together.answered_while_waiting("/o/token", asking(other), waiting=asking(stuck)) == 200


@pytest.mark.requirement("RF-04")
@pytest.mark.parametrize(("supersede", "last"), [("off", "WITH"), ("default", "COMMIT")])
def test_a_commit_whose_answer_was_not_heard_is_asked_for_and_not_done_again(
    together: Together, make_service: MakeClient, introspect: Introspect, events: Events, supersede: str, last: str
) -> None:
    service = make_service(supersede=supersede, tokens_to_keep=5)
    together.lose_the_answer_of(last)

    answers = together.post("/o/token", *[asking(service)] * 5)

    assert [answer.status_code for answer in answers] == [200] * 5
    tokens = {answer.json()["access_token"] for answer in answers}
    assert (len(tokens), {introspect(token)["active"] for token in tokens}) == (5, {True})
    assert len(events("issued", client=service.client_id)) == 6


def test_a_batch_that_the_database_refuses_is_done_again_one_by_one(
    together: Together, make_service: MakeClient, events: Events
) -> None:
    service = make_service(tokens_to_keep=5)
    refused: list[str] = []

    def spoil(asked: Any) -> None:
        if asked[0][0].startswith("WITH") and not refused:
            refused.append("once")
            values = asked[0][1]
            rows = [json.loads(value) for value in values]
            tokens = next(each for each in rows if each and "jti" in each[0])
            tokens[0]["jti"] = tokens[1]["jti"]
            values[:] = [json.dumps(each) for each in rows]

    together.watch(spoil)

    answers = together.post("/o/token", *[asking(service)] * 5)

    assert [answer.status_code for answer in answers] == [200] * 5
    assert refused == ["once"]
    assert len(events("issued", client=service.client_id)) == 6
