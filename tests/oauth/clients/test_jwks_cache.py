"""Keys at a URL of the client: fetched, kept for a time, and no longer (CL-10 to CL-12)."""

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from accounts import clock, rate_limit
from oauth.clients import jwks_cache, jwks_fetch, jwks_uri
from oauth.models import FetchedKeys
from smart.time_units import SECOND
from tests.conftest import SECRET, App, Granted
from tests.fixture_types import Events, MakeClient, SetClock
from tests.oauth.clients.assertion_client import EC, RSA, at, is_refused
from tests.publishing import Publisher, publisher_of, server_context, trusting_context
from tests.signing import Pair, assertion_form, claims_of, hs256, jwks, new_pair


@pytest.fixture(autouse=True)
def nobody_failed_before(committed: None) -> None:
    """Failures of callers that name no client are counted together; those of other tests are not ours."""
    rate_limit.forget_failures("client", "", "192.0.2.7")


# Keys by URL ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publisher_of(jwks(EC, RSA)) as server:
        yield server


@pytest.fixture
def by_url(make_client: MakeClient, publisher: Publisher) -> Any:
    """A client whose keys are at its own server."""
    return make_client("keys", jwks_uri=publisher.url)


def is_authenticated(app: App, client: Any, key: Pair = EC, **claims: Any) -> bool:
    """Whether the client proves itself with that key now."""
    response = at(app, "/o/revoke", key.assertion(client.client_id, **claims))
    assert response.status_code == 200 or is_refused(response), response.text
    return response.status_code == 200


def later(client: Any, seconds: int) -> None:
    """As if so many seconds had passed since the keys were fetched."""
    from django.db.models import F

    passed = seconds * SECOND
    FetchedKeys.objects.filter(client=client).update(
        asked_at=F("asked_at") - passed, fetched_at=F("fetched_at") - passed, fresh_until=F("fresh_until") - passed
    )


@pytest.mark.requirement("RG-03", "CL-10", "CL-11")
def test_keys_at_a_url_are_fetched_once_while_they_are_fresh(app: App, by_url: Any, publisher: Publisher) -> None:
    assert [is_authenticated(app, by_url, key) for key in (EC, RSA, EC)] == [True] * 3

    assert len(publisher.asked) == 1


@pytest.mark.requirement("CL-10", "E102")
def test_a_key_that_was_taken_back_is_dead_when_max_age_is_over(app: App, by_url: Any, publisher: Publisher) -> None:
    publisher.headers = {"Cache-Control": "max-age=5"}
    assert is_authenticated(app, by_url)
    publisher.body = jwks(RSA)

    later(by_url, 4)
    still_fresh = is_authenticated(app, by_url)
    later(by_url, 2)

    assert still_fresh
    assert not is_authenticated(app, by_url)
    assert is_authenticated(app, by_url, RSA)
    assert len(publisher.asked) == 2


@pytest.mark.requirement("CL-10")
@pytest.mark.parametrize("said", ["no-store", "max-age=0", "no-cache", "no-store, max-age=600"])
def test_what_may_not_be_kept_is_fetched_every_time(app: App, by_url: Any, publisher: Publisher, said: str) -> None:
    publisher.headers = {"Cache-Control": said}

    assert [is_authenticated(app, by_url) for _ in range(3)] == [True] * 3
    assert len(publisher.asked) == 3
    publisher.body = jwks()

    assert not is_authenticated(app, by_url)


@pytest.mark.requirement("CL-10")
def test_without_a_word_of_the_sender_keys_live_a_minute(app: App, by_url: Any, publisher: Publisher) -> None:
    publisher.headers = {}
    assert is_authenticated(app, by_url)
    later(by_url, 58)
    assert is_authenticated(app, by_url)
    asked = len(publisher.asked)
    later(by_url, 3)

    assert is_authenticated(app, by_url)
    assert (asked, len(publisher.asked)) == (1, 2)


@pytest.mark.requirement("CL-11", "E64")
def test_a_key_that_is_new_is_found_by_one_more_fetch(app: App, by_url: Any, publisher: Publisher) -> None:
    new = new_pair("ES384")
    publisher.headers = {"Cache-Control": "max-age=600"}
    assert is_authenticated(app, by_url)
    publisher.body = jwks(EC, new)

    too_soon = is_authenticated(app, by_url, new)
    later(by_url, 31)

    assert not too_soon
    assert is_authenticated(app, by_url, new)
    assert len(publisher.asked) == 2


@pytest.mark.requirement("E103", "CL-11")
def test_a_flood_of_unknown_kids_makes_one_fetch_in_thirty_seconds(app: App, by_url: Any, publisher: Publisher) -> None:
    publisher.headers = {"Cache-Control": "max-age=600"}
    assert is_authenticated(app, by_url)
    later(by_url, 31)
    flood = [assertion_form(made_up(by_url.client_id, number), token="x") for number in range(40)]

    async def together() -> list[Any]:
        return await asyncio.gather(*(app._client.post("/o/revoke", data=form) for form in flood))

    answers = app.run(together())

    assert {answer.status_code for answer in answers} <= {401, 429}
    assert len(publisher.asked) == 2
    assert is_authenticated(app, by_url)


def made_up(client_id: str, number: int) -> str:
    return EC.assertion(client_id, {"kid": f"made-up-{number}"})


@pytest.mark.requirement("CL-10", "CL-11", "PR-08")
def test_keys_are_asked_for_again_at_the_very_moment_that_ends_their_time(
    app: App, by_url: Any, publisher: Publisher, set_clock: SetClock
) -> None:
    assert is_authenticated(app, by_url)
    row = FetchedKeys.objects.get(client=by_url)
    asked = []

    for moment, key in (
        (row.asked_at + 30 * SECOND - 1, new_pair("ES384")),
        (row.asked_at + 30 * SECOND, new_pair("ES384")),
        (row.asked_at + 90 * SECOND - 1, EC),
        (row.asked_at + 90 * SECOND, EC),
    ):
        set_clock(moment)
        assert is_authenticated(app, by_url, key) is (key is EC)
        asked.append(len(publisher.asked))

    assert asked == [1, 2, 2, 3]


@pytest.mark.requirement("CL-12")
def test_when_too_many_keys_are_being_fetched_the_next_client_is_told_to_come_back(
    app: App, by_url: Any, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks_cache, "_MOST_AT_ONCE", 0)

    answer = at(app, "/o/revoke", EC.assertion(by_url.client_id))

    assert (answer.status_code, answer.json()["error"], publisher.asked) == (503, "temporarily_unavailable", [])


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetch beside thirty requests may take long on a busy machine."""
    monkeypatch.setattr(jwks_fetch, "SECONDS", 60.0)


@pytest.mark.usefixtures("patient")
@pytest.mark.requirement("CL-11")
def test_many_at_once_share_one_fetch(app: App, by_url: Any, publisher: Publisher) -> None:
    forms = [assertion_form(EC.assertion(by_url.client_id), token="x") for _ in range(30)]

    async def together() -> list[Any]:
        return await asyncio.gather(*(app._client.post("/o/revoke", data=form) for form in forms))

    answers = app.run(together())

    assert [answer.status_code for answer in answers] == [200] * 30
    assert len(publisher.asked) == 1


@pytest.mark.usefixtures("patient")
@pytest.mark.requirement("CL-11", "CL-10")
def test_many_at_once_of_what_may_not_be_kept_share_a_fetch_that_began_after_they_came(
    app: App, by_url: Any, publisher: Publisher
) -> None:
    publisher.headers = {"Cache-Control": "no-store"}
    forms = [assertion_form(EC.assertion(by_url.client_id), token="x") for _ in range(30)]

    async def together() -> list[Any]:
        return await asyncio.gather(*(app._client.post("/o/revoke", data=form) for form in forms))

    answers = app.run(together())

    assert [answer.status_code for answer in answers] == [200] * 30
    assert len(publisher.asked) <= 3


@pytest.mark.requirement("E65", "CL-08")
def test_jku_is_the_registered_url_to_the_letter(app: App, by_url: Any, publisher: Publisher) -> None:
    client_id = by_url.client_id
    right = EC.assertion(client_id, {"jku": publisher.url})
    wrong = [EC.assertion(client_id, {"jku": jku}) for jku in (f"{publisher.url}/", publisher.url.upper(), "", 7, None)]

    assert [at(app, "/o/revoke", assertion).status_code for assertion in wrong[:4]] == [401] * 4
    assert publisher.asked == []
    assert at(app, "/o/revoke", right).status_code == 200


@pytest.mark.requirement("E99", "CL-12")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"status": 404}, id="404"),
        pytest.param({"status": 500}, id="500"),
        pytest.param({"status": 302, "headers": {"Location": "/elsewhere"}}, id="redirect"),
        pytest.param({"body": "<html><body>Sign in</body></html>"}, id="HTML"),
        pytest.param({"body": "nonsense"}, id="not JSON"),
        pytest.param({"body": "[]"}, id="a list"),
        pytest.param({"body": "{}"}, id="no keys"),
        pytest.param({"body": " " * 262_145}, id="too long"),
        pytest.param({"body": jwks(*[EC] * 101)}, id="too many keys"),
    ],
)
def test_a_fetch_in_vain_is_a_refusal_with_a_reason_and_no_old_key_outlives_its_time(
    app: App, by_url: Any, publisher: Publisher, change: dict[str, Any], events: Events
) -> None:
    assert is_authenticated(app, by_url)
    for name, value in change.items():
        setattr(publisher, name, value)

    while_fresh = is_authenticated(app, by_url)
    later(by_url, 61)

    assert while_fresh
    assert not is_authenticated(app, by_url)
    (event,) = events("client-authentication-failed", client=by_url.client_id)
    assert event.reason.startswith("the client's keys could not be had: It ")


@pytest.mark.requirement("E99")
def test_keys_come_back_when_their_server_does(app: App, by_url: Any, publisher: Publisher) -> None:
    publisher.status = 503
    assert not is_authenticated(app, by_url)
    publisher.status = 200

    assert is_authenticated(app, by_url)


@pytest.mark.requirement("E101")
def test_private_and_shared_keys_are_ignored_and_recorded_once(
    app: App, by_url: Any, publisher: Publisher, events: Events
) -> None:
    shared_key = {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(SECRET.encode()).decode()}
    publisher.body = jwks(EC.private(), shared_key, RSA)
    publisher.headers = {"Cache-Control": "no-store"}

    private = is_authenticated(app, by_url)
    by_secret = at(app, "/o/revoke", hs256({"kid": "shared"}, claims_of(by_url.client_id), SECRET.encode()))
    others = [is_authenticated(app, by_url, RSA) for _ in range(2)]

    assert (private, others) == (False, [True, True])
    assert is_refused(by_secret)
    (event,) = events("client-keys-exposed", client=by_url.client_id)
    assert event.reason == "private or shared keys at its JWKS URL: 2"

    publisher.body = jwks(RSA)
    assert is_authenticated(app, by_url, RSA)
    assert len(events("client-keys-exposed", client=by_url.client_id)) == 1


@pytest.mark.requirement("E101")
def test_no_private_key_that_was_fetched_is_kept(app: App, by_url: Any, publisher: Publisher, events: Events) -> None:
    publisher.body = jwks(EC.private(), RSA)
    assert is_authenticated(app, by_url, RSA)

    assert EC.private()["d"] not in FetchedKeys.objects.get(client=by_url).keys
    (event,) = events("client-keys-exposed", client=by_url.client_id)
    assert event.reason == "private or shared keys at its JWKS URL: 1"


@pytest.mark.requirement("E101")
def test_keys_of_which_nothing_could_be_recorded_are_not_kept(
    app: App, by_url: Any, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_events: Any) -> None:
        raise RuntimeError("the trail does not answer")

    publisher.body = jwks(EC.private(), RSA)
    monkeypatch.setattr(jwks_cache, "record_events", broken)
    answer = at(app, "/o/revoke", RSA.assertion(by_url.client_id))

    assert answer.status_code == 500
    assert FetchedKeys.objects.get(client=by_url).keys == ""


def test_a_new_url_makes_the_keys_of_the_old_one_worthless(app: App, by_url: Any, publisher: Publisher) -> None:
    from oauth.models import Client

    assert is_authenticated(app, by_url)
    with publisher_of(jwks(RSA)) as moved:
        Client.objects.filter(pk=by_url.pk).update(jwks_uri=moved.url)

        assert not is_authenticated(app, by_url)
        assert is_authenticated(app, by_url, RSA)
        assert len(moved.asked) == 1


@pytest.mark.requirement("E100", "CL-12")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]"])
def test_an_address_inside_is_never_asked_outside_development(
    app: App, make_client: MakeClient, settings: Any, host: str, events: Events
) -> None:
    settings.SMARTAUTH_DEV = False
    with publisher_of(jwks(EC), tls=server_context("127.0.0.1")) as inside:
        client = make_client("keys", jwks_uri=f"https://{host}:{inside.port}/jwks")
        good = is_authenticated(app, client)

    assert not good
    assert inside.asked == []
    (event,) = events("client-authentication-failed", client=client.client_id)
    assert "not public" in event.reason or "gaierror" in event.reason


@pytest.mark.requirement("RG-06")
def test_keys_over_https_prove_a_client_and_over_http_outside_development_never(
    app: App, make_client: MakeClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = trusting_context()
    monkeypatch.setattr(jwks_fetch, "_tls_context", lambda: context)
    monkeypatch.setattr(jwks_uri, "is_public", lambda address: True)
    settings.SMARTAUTH_DEV = False
    with publisher_of(jwks(EC)) as plain, publisher_of(jwks(EC), tls=server_context("127.0.0.1")) as secure:
        over_http = is_authenticated(app, make_client("keys", jwks_uri=plain.url))
        over_https = is_authenticated(app, make_client("keys", jwks_uri=secure.url))

    assert (over_http, over_https) == (False, True)
    assert plain.asked == []


def test_slow_hosts_hold_up_nobody_else(
    app: App, make_client: MakeClient, granted: Granted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More hosts that never answer than there are writer threads."""
    import threading

    monkeypatch.setattr(jwks_fetch, "SECONDS", 8.0)
    over = threading.Event()
    with publisher_of() as tarpit:
        tarpit.respond = lambda _: [over.wait(60)].clear()
        slow = [make_client("keys", jwks_uri=f"{tarpit.url}/{number}") for number in range(12)]
        forms = [assertion_form(EC.assertion(client.client_id), token="x") for client in slow]

        async def among_them() -> tuple[int, int, list[int]]:
            waiting = [asyncio.create_task(app._client.post("/o/revoke", data=form)) for form in forms]
            while len(tarpit.asked) < len(slow):  # noqa: ASYNC110  # the requests arrive in other threads
                await asyncio.sleep(0.05)
            good = assertion_form(EC.assertion(granted.client.client_id), token="x")
            answer = await app._client.post("/o/revoke", data=good)
            still_waiting = sum(not each.done() for each in waiting)
            over.set()
            return still_waiting, answer.status_code, [(await each).status_code for each in waiting]

        still_waiting, status, others = app.run(among_them())

    assert (status, still_waiting, others) == (200, 12, [401] * 12)


def test_a_process_that_died_while_it_fetched_blocks_nobody_for_long(
    app: App, by_url: Any, publisher: Publisher
) -> None:
    assert is_authenticated(app, by_url)
    later(by_url, 120)
    FetchedKeys.objects.filter(client=by_url).update(asked_at=clock.now() - 11 * SECOND)

    assert is_authenticated(app, by_url)
    assert len(publisher.asked) == 2


@pytest.mark.requirement("CL-11")
@pytest.mark.parametrize(("ahead", "fetches"), [(0, 1), (60, 2)])
def test_a_fetch_in_the_future_of_a_clock_that_was_set_back_is_not_kept(
    app: App, by_url: Any, publisher: Publisher, ahead: int, fetches: int
) -> None:
    assert is_authenticated(app, by_url)
    later(by_url, -ahead)

    assert is_authenticated(app, by_url)
    assert len(publisher.asked) == fetches


def test_while_another_process_fetches_its_answer_is_waited_for(
    app: App, by_url: Any, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process has claimed the fetch, and answers while this one waits."""
    assert is_authenticated(app, by_url)
    later(by_url, 120)
    rows, fresh = FetchedKeys.objects.filter(client=by_url), clock.now() + 60 * SECOND
    rows.update(asked_at=clock.now())
    is_under_way, found = jwks_cache._is_under_way, []

    def answer_meanwhile(key_fetch: jwks_cache.KeyFetch) -> bool:
        found.append(is_under_way(key_fetch))
        rows.update(fetched_at=clock.now(), fresh_until=fresh)
        return found[-1]

    monkeypatch.setattr(jwks_cache, "_is_under_way", answer_meanwhile)

    assert is_authenticated(app, by_url)
    assert (found, len(publisher.asked)) == ([True, False], 1)


AT, URL = 2_000_000_000 * SECOND, "https://keys.example.org/jwks"


@pytest.mark.requirement("CL-11", "PR-08")
@pytest.mark.parametrize(
    ("row", "is_ours", "is_under_way"),
    [
        ({"asked_at": AT - 30 * SECOND, "fetched_at": AT - 30 * SECOND}, True, False),
        ({"asked_at": AT - 30 * SECOND + 1, "fetched_at": AT}, False, False),
        ({"asked_at": AT - 30 * SECOND, "fetched_at": AT, "fresh_until": AT}, True, False),
        ({"asked_at": AT - 30 * SECOND, "fetched_at": AT, "fresh_until": AT + 1}, False, False),
        ({"asked_at": AT - 10 * SECOND}, True, False),
        ({"asked_at": AT - 10 * SECOND + 1}, False, True),
        ({"asked_at": AT + 5 * SECOND}, False, True),
        ({"asked_at": AT + 5 * SECOND + 1}, True, False),
        ({"asked_at": AT, "fetched_at": AT, "jwks_uri": f"{URL}/old"}, True, False),
    ],
)
def test_a_fetch_is_claimed_where_nobody_asked_lately_and_waited_for_where_somebody_does(
    make_client: MakeClient, set_clock: SetClock, row: dict[str, Any], is_ours: bool, is_under_way: bool
) -> None:
    client = make_client("keys", jwks_uri=URL)
    FetchedKeys.objects.create(client=client, **{"jwks_uri": URL, "fetched_at": 0, "fresh_until": 0, **row})
    key_fetch = jwks_cache.KeyFetch(client.pk, client.client_id, URL, AT - 30 * SECOND, AT)
    set_clock(AT)

    assert jwks_cache._is_under_way(key_fetch) is is_under_way
    assert jwks_cache._claim(key_fetch, AT) is is_ours


@pytest.mark.requirement("CL-12", "E100")
@pytest.mark.parametrize("kind", [jwks_fetch.Unfetchable, jwks_fetch.NotPublic])
def test_keys_that_cannot_be_had_are_asked_for_again_at_once_and_the_reason_stays(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, set_clock: SetClock, kind: type[Exception]
) -> None:
    async def refuse(_: str) -> None:
        raise kind("It is a sentence")

    client = make_client("keys", jwks_uri=URL)
    monkeypatch.setattr(jwks_fetch, "fetch", refuse)
    set_clock(AT)
    with pytest.raises(kind, match="It is a sentence") as refused:
        asyncio.run(jwks_cache.renew(jwks_cache.KeyFetch(client.pk, client.client_id, URL, AT, AT)))

    row = FetchedKeys.objects.get(client=client)
    assert type(refused.value) is kind
    assert (row.asked_at, row.fetched_at, row.fresh_until, row.keys) == (AT, AT, 0, "")


@pytest.mark.requirement("E101", "CL-10")
def test_private_keys_are_recorded_when_they_come_and_when_their_number_changes(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, set_clock: SetClock, events: Events
) -> None:
    client, told = make_client("keys", jwks_uri=URL), []

    for number, count in enumerate((0, 1, 1, 2, 0)):
        now, body = AT + number * 60 * SECOND, jwks(RSA, *[EC.private()] * count).encode()

        async def publish(_: str, body: bytes = body) -> jwks_fetch.FetchedJwks:
            return jwks_fetch.FetchedJwks(body, 7)

        monkeypatch.setattr(jwks_fetch, "fetch", publish)
        set_clock(now)
        asyncio.run(jwks_cache.renew(jwks_cache.KeyFetch(client.pk, client.client_id, URL, now, now)))
        told.append([(event.at, event.reason[-1]) for event in events("client-keys-exposed", client=client.client_id)])

    once, twice = (AT + 60 * SECOND, "1"), (AT + 180 * SECOND, "2")
    assert told == [[], [once], [once], [once, twice], [once, twice]]
    row = FetchedKeys.objects.get(client=client)
    assert (row.asked_at, row.fetched_at, row.fresh_until) == (now, now, now + 7 * SECOND)
    assert json.loads(row.keys) == {"keys": [RSA.public()], "secret": 0}
