"""Addresses are forgotten after a number of days, but not while access needs them (PR-07)."""

from collections.abc import Callable
from typing import Any, Protocol

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from accounts import clock
from accounts.models import SignIn, User
from oauth.models import AccessToken, AddressBlock, AddressChange, Authorization, RefreshToken, SweepProgress
from oauth.retention import addresses
from oauth.retention.addresses import forget_addresses
from oauth.retention.sweeping import sweep
from smart.digests import sha256_hex
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Issue, MakeClient, MakePerson
from tests.kept_plans import explained
from tests.oauth.conftest import WorkElsewhere, is_waited_for
from tests.oauth.visitor import Visitor
from tests.waiting import wait_until

DAY = 86_400_000_000
OFFLINE = "launch/patient patient/*.rs offline_access"
HERE = "203.0.113.5"

pytestmark = pytest.mark.requirement("PR-07")


class Aged(Protocol):
    def __call__(self, days: int, *, scope: str = "patient/*.rs", policy: str = "block") -> dict[str, Any]: ...


@pytest.fixture
def aged(issue: Issue, make_client: MakeClient) -> Aged:
    """An authorization with every address, as if all of it had happened so many days ago, and nobody had swept."""
    SweepProgress.objects.all().delete()

    def make(days: int, *, scope: str = "patient/*.rs", policy: str = "block") -> dict[str, Any]:
        client = make_client(
            "secret", grants="authorization_code refresh_token", scope=OFFLINE, address_policy=policy
        )  # fmt: skip
        answer = issue(client, scope=scope)
        granted, at = answer["granted"], clock.now() - days * DAY
        own = Authorization.objects.filter(pk=granted.authorization.pk)
        own.update(granted_at=at, used_at=at, used_from=HERE, use_address=HERE, token_address="192.0.2.7")
        AccessToken.objects.filter(authorization=granted.authorization).update(issued_at=at, expires_at=at + 300)
        AddressChange.objects.create(authorization=granted.authorization, address="198.51.100.9", noted_at=at)
        AddressBlock.objects.create(
            user=granted.person, client=client, address="198.51.100.9", blocked_at=at
        )  # fmt: skip
        return answer

    return make


def known(answer: dict[str, Any]) -> set[str]:
    """Where an address still stands."""
    row = Authorization.objects.get(pk=answer["granted"].authorization.pk)
    places = {
        "token_address": row.token_address,
        "use_address": row.use_address,
        "used_from": row.used_from,
        "token": "".join(row.access_tokens.values_list("address", flat=True)),
        "change": row.address_changes.exists(),
        "block": AddressBlock.objects.filter(client=answer["granted"].client).exists(),
    }
    return {name for name, value in places.items() if value}


EVERYWHERE = {"token_address", "use_address", "used_from", "token", "change", "block"}


def test_what_is_over_is_forgotten_after_ninety_days_and_not_before(aged: Aged) -> None:
    old, young = aged(91), aged(89)

    sweep()

    assert known(old) == set()
    assert known(young) == EVERYWHERE


@pytest.mark.parametrize("days", [1, 30])
def test_the_number_of_days_is_a_setting(aged: Aged, settings: Any, days: int) -> None:
    settings.SMARTAUTH_ADDRESS_DAYS = days
    old, young = aged(days + 1), aged(days - 1)

    sweep()

    assert known(old) == set()
    assert known(young) == EVERYWHERE


def test_what_may_still_be_refreshed_keeps_what_it_is_compared_with_and_nothing_else(app: App, aged: Aged) -> None:
    answer = aged(91, scope=OFFLINE)

    sweep()

    assert known(answer) == {"token_address", "use_address"}
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}
    headers = basic(answer["granted"].client.client_id, SECRET)
    assert app.post("/o/token", data=form, headers=headers).status_code == 200


@pytest.mark.parametrize("end", ["taken back", "person ended", "client disabled", "expired"])
def test_what_can_be_refreshed_no_more_is_forgotten(aged: Aged, end: str) -> None:
    answer = aged(91, scope=OFFLINE)
    granted = answer["granted"]
    ends: dict[str, Callable[[], object]] = {
        "taken back": lambda: Authorization.objects.filter(pk=granted.authorization.pk).end("person", now=clock.now()),
        "person ended": lambda: User.objects.get_queryset().filter(pk=granted.person.pk).advance_epoch(),
        "client disabled": lambda: type(granted.client).objects.filter(pk=granted.client.pk).disable(),
        "expired": lambda: RefreshToken.objects.filter(authorization=granted.authorization).update(expires_at=1),
    }
    ends[end]()

    sweep()

    assert known(answer) == set()


def test_a_sign_in_forgets_too(visitor: Visitor, make_person: MakePerson) -> None:
    person = make_person("amy")
    visitor.sign_in(visitor.request("GET", "/login"), person)
    SignIn.objects.filter(user=person).update(last_seen_at=clock.now() - 91 * DAY)

    sweep()

    assert SignIn.objects.get(user=person).address == ""


def test_forgetting_and_an_ending_of_the_same_rows_do_not_wait_for_each_other_in_a_circle(
    aged: Aged, work_elsewhere: WorkElsewhere
) -> None:
    first, second = (aged(91)["granted"].authorization for _ in range(2))
    Authorization.objects.filter(pk=first.pk).update(use_address=HERE)  # so that it lies behind the second

    with transaction.atomic():
        Authorization.objects.filter(pk=first.pk).end("operator", now=clock.now())
        forgotten = work_elsewhere(sweep)
        assert wait_until(lambda: forgotten.running() and is_waited_for())
        Authorization.objects.filter(pk=second.pk).end("operator", now=clock.now())

    assert forgotten.result(30) > 0


IssuedAgo = Callable[[float], "QuerySet[AccessToken]"]


@pytest.fixture
def issued_ago(issue: Issue, settings: Any) -> IssuedAgo:
    """Makes a token of so many days ago, with an address. Addresses are kept for five; the first sweep is to come."""
    settings.SMARTAUTH_ADDRESS_DAYS = 5
    AccessToken.objects.filter(issued_at__lt=clock.now() - DAY).delete()
    SweepProgress.objects.all().delete()

    def make(days: float) -> Any:
        token = AccessToken.objects.filter(digest=sha256_hex(issue()["access_token"]))
        at = clock.now() - int(days * DAY)
        token.update(issued_at=at, expires_at=at + 300_000_000, address=HERE)
        return token

    return make


def with_address(*tokens: Any) -> list[bool]:
    return [bool(token.get().address) for token in tokens]


def test_the_first_sweep_forgets_the_addresses_of_all_old_tokens(issued_ago: IssuedAgo) -> None:
    tokens = [issued_ago(days) for days in (4.9, 5.01, 5.2, 6, 20, 70)]

    sweep()

    assert with_address(*tokens) == [True, *[False] * 5]


def test_the_next_one_goes_on_there_however_long_nobody_swept_and_whatever_lies_between(issued_ago: IssuedAgo) -> None:
    """Tokens that never had an address hide none of before them."""
    before, between = issued_ago(70), issued_ago(5.01)
    sweep()
    between.update(address="")
    tokens = [issued_ago(days) for days in (5.02, 20, 40)]
    SweepProgress.objects.update(until=clock.now() - 41 * DAY)

    before.update(address=HERE)  # it shows what a sweep does not come to
    sweep()

    assert with_address(*tokens, before) == [False, False, False, True]


@pytest.mark.parametrize("days", [3, 30])
def test_where_addresses_are_kept_for_another_time_from_now_on_none_is_missed(
    issued_ago: IssuedAgo, settings: Any, days: int
) -> None:
    sweep()
    settings.SMARTAUTH_ADDRESS_DAYS = days
    sweep()
    token = issued_ago(days + 0.5)

    forget_addresses(now=clock.now() - DAY, days=days)  # of a day before it is due
    assert with_address(token) == [True]
    sweep()
    assert with_address(token) == [False]


def test_a_clock_that_was_ahead_once_hides_no_token_for_longer_than_until_the_next_sweep(issued_ago: IssuedAgo) -> None:
    SweepProgress.objects.create(part=addresses.OF_TOKENS, until=clock.now() + 100 * DAY)
    sweep()

    assert SweepProgress.objects.get().until <= clock.now() - 5 * DAY


def test_where_a_sweep_broke_off_the_next_one_goes_on(issued_ago: IssuedAgo, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are forgotten first."""
    tokens = [issued_ago(days) for days in (70, 20, 6)]
    forget, calls = addresses._with_address, list[int]()

    def break_down(since: int, until: int) -> Any:
        calls.append(since)
        if since > clock.now() - 21 * DAY and len(calls) < 10:
            raise RuntimeError("stopped")
        return forget(since, until)

    monkeypatch.setattr(addresses, "_with_address", break_down)
    with pytest.raises(RuntimeError, match="stopped"):
        sweep()
    assert with_address(*tokens) == [False, True, True]
    monkeypatch.undo()
    tokens[0].update(address=HERE)

    forget_addresses(now=clock.now(), days=5)

    assert with_address(*tokens) == [True, False, False]


@pytest.mark.postgresql
@pytest.mark.usefixtures("committed")
def test_old_tokens_are_sought_by_when_they_were_issued_in_partitions_that_may_have_them(settings: Any) -> None:
    ran = list[tuple[str, Any]]()

    def remember(execute: Callable[..., Any], statement: str, values: Any, *others: Any) -> Any:
        ran.append((statement, values))
        return execute(statement, values, *others)

    now = clock.now()
    SweepProgress.objects.update_or_create(part=addresses.OF_TOKENS, defaults={"until": now - 5 * DAY - 1})
    with connection.execute_wrapper(remember):
        forget_addresses(now=now, days=5)
    statement, values = next(each for each in ran if 'UPDATE "oauth_accesstoken"' in each[0])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = explained(statement, *values)

    read = [line for line in plan if "Scan on oauth_accesstoken" in line and "Index Scan" not in line]
    assert 1 <= len(read) <= 2, "\n".join(plan)
    assert "Bitmap Index Scan on oauth_accesstoken_first_issued_at_idx" in "".join(plan)
