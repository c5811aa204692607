"""Assertions that arrive together: one read, one write, and each counts as it would have alone."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import connection, transaction

from oauth.clients import gathered_assertions
from oauth.http import gathering
from oauth.http.lane import Lane
from oauth.http.postgresql_session import Asked
from oauth.models import AssertionId, Client
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Events, MakeClient
from tests.kept_plans import explained
from tests.oauth.tokens.gathered import Posted, Together
from tests.signing import Pair, assertion_form, jwks, new_pair, pair

pytestmark = pytest.mark.postgresql
SCOPE = "system/Patient.r"
KEYS = pair("ES384"), pair("RS384")


@pytest.fixture
def together(app: App, monkeypatch: pytest.MonkeyPatch) -> Together:
    return Together(app, monkeypatch)


@pytest.fixture
def make_service(app: App, make_client: MakeClient) -> Callable[[], Client]:
    """A backend service with keys, which has its authorization already."""

    def make() -> Client:
        fields: dict[str, Any] = {"grants": "client_credentials", "redirect_uris": "", "scope": SCOPE}
        client = make_client("keys", jwks=jwks(*KEYS), supersede="off", **fields)
        assert app.post("/o/token", **asking(client)).status_code == 200
        return client

    return make


def asking(client: Client, key: Pair = KEYS[0], **claims: Any) -> Posted:
    form = {"grant_type": "client_credentials", "scope": SCOPE}
    return {"data": {**form, **assertion_form(key.assertion(client.client_id, **claims))}}


def statuses(answers: list[httpx.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


@pytest.mark.requirement("CL-04")
def test_they_are_one_read_of_the_signers_and_one_write(
    together: Together, make_service: Callable[[], Client], events: Events
) -> None:
    first, second = make_service(), make_service()

    posted = [each for _ in range(5) for each in (asking(first), asking(second, KEYS[1]))]
    answers = together.post("/o/token", *posted)

    assert statuses(answers) == [200] * 10
    assert [[text.split()[0] for text in each] for each in together.round_trips] == [
        ["SELECT"],
        ["INSERT"],
        ["SELECT"],
        ["WITH"],
    ]
    assert AssertionId.objects.filter(client__in=[first, second]).count() == 12
    assert [len(events("issued", client=each.client_id)) for each in (first, second)] == [6, 6]


def test_the_batch_that_verifies_them_answers_them_and_nobody_with_a_secret_waits_in_it(
    together: Together, make_service: Callable[[], Client], make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields: dict[str, Any] = {"grants": "client_credentials", "redirect_uris": "", "scope": SCOPE}
    by_secret = make_client("secret", supersede="off", backend_by_secret=1, **fields)
    form = {"data": {"grant_type": "client_credentials", "scope": SCOPE}, "headers": basic(by_secret.client_id, SECRET)}
    assert statuses(together.post("/o/token", form)) == [200]
    service, lanes, run = make_service(), list[tuple[str, Lane]](), Lane.run

    async def watched(lane: Lane, *asked: Asked) -> Any:
        lanes.append((asked[-1][0].split()[0], lane))
        return await run(lane, *asked)

    monkeypatch.setattr(Lane, "run", watched)
    answers = together.post("/o/token", asking(service), form, asking(service), form)

    assert statuses(answers) == [200] * 4
    (verifying,) = {lane for first, lane in lanes if first == "INSERT"}
    assert [first for first, lane in lanes if lane is verifying] == ["SELECT", "INSERT", "SELECT", "WITH"]
    assert [first for first, lane in lanes if lane is not verifying] == ["SELECT", "WITH"]


@pytest.mark.requirement("CL-05", "CL-06", "CL-08", "CL-15")
def test_one_that_proves_nothing_disturbs_nobody_and_uses_nothing_up(
    together: Together, make_service: Callable[[], Client], events: Events
) -> None:
    good, disabled = make_service(), make_service()
    Client.objects.filter(pk=disabled.pk).update(enabled=0)
    forged = new_pair("ES384", KEYS[0].kid)
    used = asking(good, jti="used")
    assert statuses(together.post("/o/token", used)) == [200]

    answers = together.post(
        "/o/token",
        asking(good),
        asking(good, forged, jti="free"),
        asking(good, new_pair("ES384")),
        asking(disabled),
        asking(Client(client_id="nobody")),
        used,
        asking(good, aud="https://elsewhere.example.org"),
        asking(good, KEYS[1]),
    )

    assert statuses(answers) == [200, 401, 401, 401, 401, 401, 401, 200]
    assert {answer.json()["error"] for answer in answers[1:7]} == {"invalid_client"}
    assert len(events("client-authentication-failed", client=good.client_id)) == 4
    assert statuses(together.post("/o/token", asking(good, jti="free"))) == [200]


@pytest.mark.requirement("E72", "CL-06")
def test_one_that_is_sent_several_times_at_one_moment_counts_once(
    together: Together, make_service: Callable[[], Client], events: Events
) -> None:
    service = make_service()
    once = asking(service)

    answers = together.post("/o/token", *[once] * 5, asking(service))

    assert sorted(statuses(answers)) == [200, 200, 401, 401, 401, 401]
    assert len(events("issued", client=service.client_id)) == 3


@pytest.mark.requirement("CL-05", "SD-20")
def test_forged_ones_cost_no_batch_each_and_keep_no_place_from_the_client_that_they_name(
    together: Together, make_service: Callable[[], Client], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service()
    forged = asking(service, new_pair("ES384", KEYS[0].kid), jti="the same")
    monkeypatch.setattr(gathering, "MOST_WAITING", 8)
    settings.SMARTAUTH_TRUSTED_PROXIES = 1
    sent = [("203.0.113.7", forged)] * 8 + [("198.51.100.9", asking(service))]

    answers = together.post("/o/token", *[{**posted, "headers": {"x-forwarded-for": peer}} for peer, posted in sent])

    assert statuses(answers) == [401] * 7 + [503, 200]
    assert [trip for trip in together.round_trips if trip == ["INSERT INTO"]] == [["INSERT INTO"]]


@pytest.mark.requirement("CL-05", "SD-20")
def test_forged_ones_get_no_further_than_the_batch_that_reads_the_signers(
    together: Together, make_service: Callable[[], Client]
) -> None:
    forged = asking(make_service(), new_pair("ES384", KEYS[0].kid))

    answers = together.post("/o/token", *[forged] * 3)

    assert statuses(answers) == [401] * 3
    assert together.round_trips == [["SELECT c.id"]]


@pytest.mark.requirement("CL-06", "E96")
def test_what_is_refused_in_the_batch_goes_alone_from_there(
    together: Together, make_service: Callable[[], Client]
) -> None:
    posted = asking(make_service())
    posted["data"]["scope"] = "system/Nothing.x"

    answers = together.post("/o/token", posted)

    assert [(each.status_code, each.json()["error"]) for each in answers] == [(400, "invalid_scope")]
    assert [trip[0].split()[0] for trip in together.round_trips] == ["SELECT", "INSERT", "SELECT"]


@pytest.mark.requirement("CL-06")
def test_of_one_whose_commit_was_not_heard_nobody_says_that_it_was_used_before(
    together: Together, make_service: Callable[[], Client], events: Events
) -> None:
    service = make_service()
    together.lose_the_answer_of("\nINSERT INTO oauth_assertionid")

    answers = together.post("/o/token", asking(service), asking(service))

    assert statuses(answers) == [503, 503]
    assert {answer.headers["retry-after"] for answer in answers} == {"5"}
    assert {answer.json()["error"] for answer in answers} == {"temporarily_unavailable"}
    assert len(events("issued", client=service.client_id)) == 1
    assert not events("client-authentication-failed", client=service.client_id)
    assert statuses(together.post("/o/token", asking(service))) == [200]


@pytest.mark.requirement("CL-06")
def test_a_batch_whose_connection_is_lost_before_its_write_is_done_one_by_one(
    together: Together, make_service: Callable[[], Client], events: Events
) -> None:
    service = make_service()
    together.lose_before("INSERT INTO oauth_assertionid")

    answers = together.post("/o/token", *[asking(service) for _ in range(3)])

    assert statuses(answers) == [200] * 3
    assert len(events("issued", client=service.client_id)) == 4


@pytest.mark.requirement("CL-04")
@pytest.mark.parametrize("path", ["/o/introspect", "/o/revoke"])
def test_at_the_other_endpoints_they_are_gathered_too(
    together: Together, make_service: Callable[[], Client], path: str
) -> None:
    service = make_service()
    posted = [{"data": {"token": "unknown", **assertion_form(KEYS[0].assertion(service.client_id))}} for _ in range(4)]

    answers = together.post(path, *posted)

    assert statuses(answers) == [200] * 4
    assert [[text.split()[0] for text in each] for each in together.round_trips][:2] == [["SELECT"], ["INSERT"]]
    assert AssertionId.objects.filter(client=service).count() == 5


@pytest.mark.usefixtures("committed")
def test_signers_are_looked_up_also_by_a_plan_for_few_clients() -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE oauth_client")
        plan = explained(gathered_assertions._SIGNERS.text, '["a"]')
        transaction.set_rollback(True)

    found = next(number for number, line in enumerate(plan) if " on oauth_client" in line)
    assert "Index Scan using" in plan[found]
    assert "= q.client_id)" in plan[found + 1]
