"""Codes that are exchanged together: one transaction, and each as it would have been alone."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from oauth.http.postgresql_session import Asked
from oauth.models import ActsFor, Authorization, Code, RefreshToken, Seat
from smart.digests import sha256_hex
from tests.conftest import CHALLENGE, SECRET, App, Granted, basic
from tests.fixture_types import Events, Grant, Introspect, Issue, MakeClient, MakePerson
from tests.oauth.jwt import payload
from tests.oauth.tokens.code_exchange import token_count
from tests.oauth.tokens.gathered import Posted, Together
from tests.oauth.tokens.refresh_client import SCOPE
from tests.signing import assertion_form, jwks, pair

pytestmark = pytest.mark.postgresql
ONE_TRANSACTION = [["BEGIN", "SELECT"], ["INSERT", "SELECT"], ["WITH", "COMMIT"]]
Hold = Callable[[Any], None]


@pytest.fixture
def together(app: App, monkeypatch: pytest.MonkeyPatch) -> Together:
    return Together(app, monkeypatch)


def exchanging(granted: Granted, **changes: str | None) -> Posted:
    """A good exchange by the way in which its client proves itself, with changes."""
    client, form = granted.client, granted.exchange(**changes)
    if client.authentication == "keys":
        form |= assertion_form(pair("ES384").assertion(client.client_id))
    return {"data": form, "headers": basic(client.client_id, SECRET) if client.authentication == "secret" else {}}


def round_trips(together: Together) -> list[list[str]]:
    return [[text.split()[0] for text in each] for each in together.round_trips]


def test_they_are_one_transaction_and_each_buys_its_own_tokens(
    together: Together,
    grant: Grant,
    make_app: MakeClient,
    make_person: MakePerson,
    introspect: Introspect,
    events: Events,
) -> None:
    granted = [grant(make_app(way), make_person("amy"), scope=SCOPE) for way in ("none", "secret") * 3]

    answers = together.post("/o/token", *map(exchanging, granted))

    assert [answer.status_code for answer in answers] == [200] * 6
    assert round_trips(together) == ONE_TRANSACTION
    for answer, made in zip(answers, granted, strict=True):
        bought = answer.json()
        assert {name: bought[name] for name in ("token_type", "scope", "patient")} == {
            "token_type": "Bearer", "scope": SCOPE, "patient": "amy",
        }  # fmt: skip
        said = introspect(bought["access_token"])
        assert (said["active"], said["client_id"]) == (True, made.client.client_id)
        token = made.authorization.access_tokens.get()
        assert (token.code, token.address) == (made.authorization.codes.get(), "192.0.2.7")
        (issued,) = events("issued", client=made.client.client_id)
        assert (issued.token, issued.address) == (str(token), "192.0.2.7")
        refreshed = RefreshToken.objects.get(digest=sha256_hex(bought["refresh_token"]))
        assert (refreshed.seat, refreshed.launch_number) == (token.seat, 1)
        assert Authorization.objects.get(pk=made.authorization.pk).token_address == "192.0.2.7"


@pytest.mark.requirement("CL-06")
def test_an_assertion_is_verified_before_and_counts_once(
    together: Together, grant: Grant, make_client: MakeClient, events: Events
) -> None:
    granted = grant(make_client("keys", jwks=jwks(pair("ES384"))))
    once = exchanging(granted)

    answers = together.post("/o/token", once, once)

    assert sorted(answer.status_code for answer in answers) == [200, 401]
    assert round_trips(together).count(ONE_TRANSACTION[-1]) == 1
    assert len(events("issued", client=granted.client.client_id)) == 1


@pytest.mark.requirement("CG-08", "ID-01")
def test_id_token_and_nonce_come_with_it_and_nothing_to_refresh_where_none_was_granted(
    together: Together, grant: Grant, make_app: MakeClient
) -> None:
    granted = grant(make_app(scope="openid fhirUser patient/*.rs"), scope="openid fhirUser patient/*.rs")
    granted.authorization.codes.update(nonce="n-7")

    (answer,) = together.post("/o/token", exchanging(granted))

    assert round_trips(together) == ONE_TRANSACTION
    assert payload(answer.json()["id_token"])["nonce"] == "n-7"
    assert "refresh_token" not in answer.json()
    assert Authorization.objects.get(pk=granted.authorization.pk).token_address == ""


@pytest.mark.requirement("PR-01", "PR-02")
@pytest.mark.parametrize("keep", [1, 3])
def test_they_take_the_numbers_of_their_seat_in_the_order_of_arrival(
    together: Together,
    grant: Grant,
    make_app: MakeClient,
    make_person: MakePerson,
    introspect: Introspect,
    events: Events,
    keep: int,
) -> None:
    client, person = make_app(tokens_to_keep=keep), make_person("amy")
    tabs = [grant(client, person, scope=SCOPE) for _ in range(8)]

    answers = together.post("/o/token", *map(exchanging, tabs))

    tokens = [answer.json()["access_token"] for answer in answers]
    assert [introspect(token)["active"] for token in tokens] == [False] * (8 - keep) + [True] * keep
    issued = [event.token for event in events("issued", client=client.client_id)]
    superseded = events("superseded", client=client.client_id)
    assert [event.token for event in superseded] == issued[:-keep]
    assert [event.reason for event in superseded] == [f"by token {token}" for token in issued[keep:]]
    launches = RefreshToken.objects.filter(authorization__client=client).order_by("pk")
    assert list(launches.values_list("launch_number", flat=True)) == list(range(1, 9))
    assert Seat.objects.get(key__contains=f"|{client.pk}|{person.pk}|").latest_number == 8


@pytest.mark.requirement("PR-02")
def test_seats_are_taken_in_the_order_of_their_keys_so_that_two_processes_never_wait_in_a_circle(
    together: Together, grant: Grant, make_client: MakeClient
) -> None:
    granted = [grant(make_client()) for _ in range(12)]
    taken: list[str] = []

    def note(asked: tuple[Asked, ...]) -> None:
        if asked[0][0].lstrip().startswith("INSERT"):
            taken.extend(seat["key"] for seat in json.loads(asked[0][1][0]))

    together.watch(note)

    together.post("/o/token", *map(exchanging, granted[::-1]))

    assert len(taken) == 12
    assert taken == sorted(taken)


def test_without_seats_there_is_one_round_trip_less(together: Together, grant: Grant, make_client: MakeClient) -> None:
    granted = [grant(make_client(supersede="off")) for _ in range(3)]

    answers = together.post("/o/token", *map(exchanging, granted))

    assert [answer.status_code for answer in answers] == [200] * 3
    assert round_trips(together) == [ONE_TRANSACTION[0], ONE_TRANSACTION[2]]


@pytest.mark.requirement("E77", "E79", "E80", "E82", "E85")
def test_what_is_refused_in_a_batch_disturbs_nobody_and_its_consequences_are_committed(
    together: Together,
    grant: Grant,
    issue: Issue,
    make_app: MakeClient,
    make_client: MakeClient,
    introspect: Introspect,
    events: Events,
) -> None:
    used, thief = issue(), make_client()
    good, stolen, guessed, elsewhere, gone, expired = (grant() for _ in range(6))
    no_code_here, in_body = grant(make_app(grants="refresh_token")), grant(make_client("secret"))
    secret = {"client_id": in_body.client.client_id, "client_secret": SECRET}
    Code.objects.filter(authorization=expired.authorization).update(expires_at=1)
    ActsFor.objects.filter(identity__user=gone.person).delete()

    answers = together.post(
        "/o/token",
        exchanging(used["granted"]),
        exchanging(stolen, client_id=thief.client_id),
        exchanging(guessed, code_verifier=CHALLENGE),
        exchanging(elsewhere, redirect_uri="https://elsewhere.example.org/"),
        exchanging(gone),
        exchanging(expired),
        exchanging(no_code_here),
        {"data": in_body.exchange(**secret)},
        exchanging(good, code="nobody-has-it"),
        exchanging(good),
    )

    assert [answer.status_code for answer in answers] == [400] * 7 + [401, 400, 200]
    assert introspect(used["access_token"]) == {"active": False}
    assert len(events("code-replayed", client=used["granted"].client.client_id)) == 1
    assert len(events("code-of-another-client", client=stolen.client.client_id)) == 1
    for made in (guessed, elsewhere, gone, expired):
        assert (token_count(made), len(events("code-refused", client=made.client.client_id))) == (0, 1)
    assert [each.status_code for each in together.post("/o/token", exchanging(guessed), exchanging(stolen))] == [
        200,
        400,
    ]


@pytest.mark.requirement("CG-05", "E78", "CG-04")
def test_one_code_twice_in_a_batch_is_one_token_and_then_none(
    together: Together, grant: Grant, introspect: Introspect, events: Events
) -> None:
    granted, beside = grant(), grant()

    answers = together.post("/o/token", exchanging(granted), exchanging(granted), exchanging(beside))

    (bought,) = [answer for answer in answers[:2] if answer.status_code == 200]
    assert introspect(bought.json()["access_token"]) == {"active": False}
    assert introspect(answers[2].json()["access_token"])["active"] is True
    assert len(events("code-replayed", client=granted.client.client_id)) == 1


@pytest.mark.requirement("US-05")
def test_an_app_of_a_user_with_patients_goes_alone_and_its_token_tells_them(
    together: Together, grant: Grant, make_client: MakeClient, introspect: Introspect
) -> None:
    granted = grant(make_client(scope="user/*.rs"), scope="user/*.rs")

    (answer,) = together.post("/o/token", exchanging(granted))

    assert answer.status_code == 200
    assert round_trips(together) == [ONE_TRANSACTION[0], ["COMMIT"]]
    assert "amy" in introspect(answer.json()["access_token"])["__patients"]


@pytest.mark.requirement("CG-05")
@pytest.mark.parametrize("held", ["code", "authorization"])
def test_a_row_that_somebody_else_holds_keeps_only_its_own_request_waiting(
    together: Together, grant: Grant, make_person: MakePerson, held_elsewhere: Hold, held: str
) -> None:
    stuck, other = grant(), grant(None, make_person("ben"), patient="ben")
    code = Code.objects.filter(digest=sha256_hex(stuck.code))
    held_elsewhere(code if held == "code" else Authorization.objects.filter(pk__in=code.values("authorization")))

    assert together.answered_while_waiting("/o/token", exchanging(other), waiting=exchanging(stuck)) == 200
    assert round_trips(together) == ONE_TRANSACTION


@pytest.mark.requirement("PR-02")
def test_a_seat_that_somebody_else_holds_stops_only_those_who_need_it(
    together: Together, grant: Grant, issue: Issue, held_elsewhere: Hold
) -> None:
    first = issue()["granted"]
    stuck, other = grant(first.client, first.person), grant()
    held_elsewhere(Seat.objects.filter(key__contains=f"|{first.client.pk}|{first.person.pk}|"))

    assert together.answered_while_waiting("/o/token", exchanging(other), waiting=exchanging(stuck)) == 200


@pytest.mark.requirement("CG-04", "E77")
def test_a_commit_that_was_not_heard_is_answered_and_what_was_bought_lives(
    together: Together, grant: Grant, introspect: Introspect, events: Events
) -> None:
    granted = [grant() for _ in range(4)]
    together.lose_the_answer_of("COMMIT")

    answers = together.post("/o/token", *map(exchanging, granted))

    assert [answer.status_code for answer in answers] == [200] * 4
    assert all(introspect(answer.json()["access_token"])["active"] for answer in answers)
    for made in granted:
        client_id = made.client.client_id
        assert (len(events("issued", client=client_id)), events("code-replayed", client=client_id)) == (1, [])


@pytest.mark.requirement("CG-05")
@pytest.mark.parametrize("lost", ["INSERT", "WITH"])
def test_a_batch_that_was_not_committed_is_done_again(
    together: Together, grant: Grant, events: Events, lost: str
) -> None:
    granted = [grant() for _ in range(3)]
    together.lose_before(lost)

    answers = together.post("/o/token", *map(exchanging, granted))

    assert [answer.status_code for answer in answers] == [200] * 3
    assert [len(events("issued", client=each.client.client_id)) for each in granted] == [1] * 3


@pytest.mark.requirement("CG-05", "CG-04")
def test_who_hangs_up_while_the_batch_is_under_way_has_used_its_code_and_the_others_are_answered(
    together: Together, grant: Grant, events: Events
) -> None:
    leaves, stays = grant(), grant()

    async def one_leaves() -> int:
        leaving = asyncio.ensure_future(together.send("/o/token", exchanging(leaves)))

        def leave(asked: tuple[Asked, ...]) -> None:
            if asked[0][0].startswith("WITH"):
                leaving.cancel()

        together.watch(leave)
        (answer,) = await together.send("/o/token", exchanging(stays))
        assert leaving.cancelled()
        return answer.status_code

    assert together.run(one_leaves()) == 200
    assert [len(events("issued", client=each.client.client_id)) for each in (leaves, stays)] == [1, 1]
