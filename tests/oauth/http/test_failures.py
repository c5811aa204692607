"""Failed authentication of clients: counted, told in the trail, and bounded for clients that nobody knows."""

import secrets

import pytest

from accounts import clock, rate_limit
from accounts.models import RateCount
from accounts.rate_limit import _key
from audit.models import OutboxEvent
from oauth.http.credentials import Credentials
from oauth.http.failures import count_failure
from oauth.http.machine_request import MachineRequest
from smart.http.errors import InvalidClient, TooManyRequests
from smart.http.parameters import Parameters
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Introspect, Issue, MakeClient, MakeResourceServer
from tests.oauth.visitor import Visitor

FAILED = "client-authentication-failed"


def ask(visitor: Visitor, client_id: str, secret: str = "wrong") -> int:
    headers = basic(client_id, secret)
    return visitor.request("POST", "/o/introspect", data={"token": "x"}, headers=headers).status_code


@pytest.mark.requirement("SD-20", "CL-15")
def test_clients_that_nobody_knows_count_as_one_and_leave_nine_events(visitor: Visitor) -> None:
    invented = [f"invented-{secrets.token_hex(8)}" for _ in range(30)]

    statuses = [ask(visitor, name) for name in invented]

    assert statuses == [401] * 9 + [429] * 21
    assert RateCount.objects.get(key=_key("client", "", visitor.address)).count == 30
    assert not RateCount.objects.filter(key__in=[_key("client", name, visitor.address) for name in invented])
    assert OutboxEvent.objects.filter(kind=FAILED, address=visitor.address).count() == 9


@pytest.mark.requirement("TK-10")
def test_a_client_that_is_known_is_heard_where_invented_ones_are_paused(
    visitor: Visitor, make_resource_server: MakeResourceServer
) -> None:
    client = make_resource_server()
    for _ in range(15):
        ask(visitor, f"invented-{secrets.token_hex(8)}")
    assert ask(visitor, "invented") == 429

    assert ask(visitor, client.client_id) == 401
    assert ask(visitor, client.client_id, SECRET) == 200


@pytest.mark.requirement("TK-10", "E58")
def test_failures_of_a_known_client_are_counted_by_its_name_and_the_address(
    visitor: Visitor, make_client: MakeClient, make_resource_server: MakeResourceServer
) -> None:
    guessed, other = make_resource_server(), make_client("secret")

    statuses = [ask(visitor, guessed.client_id) for _ in range(11)]

    assert statuses == [401] * 9 + [429] * 2
    assert ask(visitor, guessed.client_id, SECRET) == 200  # its own secret is looked at while it is paused
    assert ask(visitor, other.client_id) == 401
    (told,) = OutboxEvent.objects.filter(kind=FAILED, client=other.client_id)
    assert told.address == visitor.address


@pytest.mark.requirement("SD-20", "TK-10", "E58")
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    ("before", "paused", "reasons"),
    [
        (0, False, ["the secret is wrong"]),
        (8, False, ["the secret is wrong"]),
        (9, True, []),
        (10, True, []),
        (99, True, ["the secret is wrong, 100 so far"]),
        (100, True, []),
    ],
)
def test_a_failure_is_answered_as_it_is_until_there_are_too_many(before: int, paused: bool, reasons: list[str]) -> None:
    address = f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}::7"  # as it is written down
    now = clock.now()
    if before:
        rate_limit.count("client", "", address, now=now, added=before)
    request = MachineRequest("/o/token", {}, address, Parameters([]), Credentials("nobody-knows", "wrong"), now)
    error = InvalidClient("client authentication failed", event_reason="the secret is wrong")

    answer = count_failure(error, request)

    assert (answer is error, isinstance(answer, TooManyRequests)) == (not paused, paused)
    told = OutboxEvent.objects.filter(kind=FAILED, address=address)
    assert [event.reason for event in told] == reasons
    assert {(event.client, event.at) for event in told} <= {("nobody-knows", now)}
    assert RateCount.objects.get(key=_key("client", "", address)).count == before + 1


@pytest.mark.parametrize("named", ["x" * 101, "ü", "a\nb"])
def test_what_cannot_be_a_client_is_nobodys_name_in_the_trail(visitor: Visitor, named: str) -> None:
    assert ask(visitor, named) == 401

    (told,) = OutboxEvent.objects.filter(kind=FAILED, address=visitor.address)
    assert told.client == ""


@pytest.mark.parametrize("named", ["c", "x" * 100], ids=["short", "long"])
def test_what_can_be_a_client_is_named_in_the_trail_with_what_was_wrong(visitor: Visitor, named: str) -> None:
    assert ask(visitor, named) == 401

    (told,) = OutboxEvent.objects.filter(kind=FAILED, address=visitor.address)
    assert told.client == named
    assert told.reason


@pytest.mark.requirement("SD-20")
def test_of_a_long_flood_the_hundredth_failure_is_told_with_its_number(visitor: Visitor) -> None:
    for _ in range(100):
        ask(visitor, "invented")

    reasons = OutboxEvent.objects.filter(kind=FAILED, address=visitor.address).values_list("reason", flat=True)

    assert len(reasons) == 10
    assert [reason for reason in reasons if reason.endswith(", 100 so far")]


@pytest.mark.requirement("SD-20")
def test_refusals_of_one_refresh_token_leave_ten_events(
    app: App, issue: Issue, make_client: MakeClient, introspect: Introspect
) -> None:
    client = make_client(grants="authorization_code refresh_token", scope="patient/*.rs offline_access")
    answer = issue(client, scope="patient/*.rs offline_access")
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], "scope": "patient/*.cruds"}

    statuses = {app.post("/o/token", data={**form, "client_id": client.client_id}).json()["error"] for _ in range(25)}

    assert statuses == {"invalid_scope"}
    assert OutboxEvent.objects.filter(kind="refresh-refused", client=client.client_id).count() == 10
    assert introspect(answer["access_token"])["active"] is True
