"""Names at the sign-in are paused alike, whether somebody has them or not."""

import secrets
import threading
from typing import Any

import pytest
from django.db import connection, transaction

from accounts import name_failures
from accounts.models import RateCount
from accounts.name_failures import _group, count_failure, forget_failures, seconds_to_wait
from smart.time_units import DAY, SECOND
from tests.waiting import wait_until

NOW = 1_800_000_000_000_000
NAMES = [f"person-{number}" for number in range(20)]

pytestmark = [pytest.mark.requirement("SD-20"), pytest.mark.usefixtures("committed")]


def unused_network() -> str:
    """An address of a network that nobody has used."""
    return f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"


@pytest.fixture
def network() -> str:
    return unused_network()


@pytest.fixture
def one_group(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """All names share one row, and the third failure is one too many."""
    monkeypatch.setattr(name_failures, "GROUPS", 1)
    settings.SMARTAUTH_FAILURE_LIMIT, settings.SMARTAUTH_FAILURE_WINDOW_SECONDS = 3, 900


@pytest.mark.usefixtures("one_group")
@pytest.mark.parametrize("exists", [True, False], ids=["somebody", "nobody"])
def test_a_name_is_paused_with_its_group_at_its_first_try_and_pauses_the_group(network: str, exists: bool) -> None:
    now = NOW

    waits = [count_failure(name, network, exists=exists, now=now) for name in ("one", "two", "three")]

    assert waits == [0, 0, 900]
    assert [seconds_to_wait(name, network, now=now) for name in ("one", "somebody", "nobody")] == [900] * 3


@pytest.mark.usefixtures("one_group")
@pytest.mark.parametrize(
    "tries",
    [
        [("x", 0), ("x", 1), ("x", 2), ("x", 3)],
        [("other", 0), ("x", 800), ("x", 801), ("x", 901), ("x", 902), ("other", 1700), ("x", 1801)],
        [("x", 0), ("other", 500), ("x", 899), ("x", 900), ("other", 1799), ("x", 1800), ("x", 1801)],
    ],
    ids=["alone", "a window that others began", "others between"],
)
def test_no_sequence_of_tries_tells_whether_somebody_has_a_name(tries: list[tuple[str, int]]) -> None:
    now = NOW

    def waits(exists: bool) -> list[int]:
        address = unused_network()
        return [
            seconds_to_wait(name, address, now=now + after * SECOND)
            or count_failure(name, address, exists=exists and name == "x", now=now + after * SECOND)
            for name, after in tries
        ]

    assert waits(exists=True) == waits(exists=False)


@pytest.mark.usefixtures("one_group")
def test_a_success_forgets_the_failures_of_its_name_alone(network: str) -> None:
    now = NOW
    for name in ("amy", "amy", "ben"):
        wait = count_failure(name, network, exists=True, now=now)

    forget_failures("amy", network, now=now)

    assert wait == 900
    assert seconds_to_wait("ben", network, now=now) == 0
    forget_failures("amy", network, now=now)
    assert [count_failure(name, network, exists=False, now=now) for name in ("one", "two")] == [0, 900]


@pytest.mark.usefixtures("one_group")
def test_a_success_forgets_failures_also_in_a_window_that_others_began(network: str) -> None:
    now = NOW
    for name, after in (("ben", 0), ("amy", 100), ("amy", 101)):
        count_failure(name, network, exists=True, now=now + after * SECOND)

    forget_failures("amy", network, now=now)

    assert count_failure("ben", network, exists=True, now=now + 102 * SECOND) == 0


@pytest.mark.usefixtures("one_group")
def test_a_success_forgets_nothing_of_a_later_window(network: str) -> None:
    now, later = NOW, NOW + 901 * SECOND
    count_failure("amy", network, exists=True, now=now)
    for name in ("one", "two"):
        count_failure(name, network, exists=False, now=later)

    forget_failures("amy", network, now=later)

    assert count_failure("three", network, exists=False, now=later) == 900


@pytest.mark.usefixtures("one_group")
def test_a_success_forgets_a_failure_that_another_transaction_counts_meanwhile(network: str, vendor: str) -> None:
    count_failure("amy", network, exists=True, now=NOW)

    def forget() -> None:
        forget_failures("amy", network, now=NOW)
        connection.close()

    forgetting = threading.Thread(target=forget)
    with transaction.atomic():
        count_failure("amy", network, exists=True, now=NOW)
        forgetting.start()
        assert vendor == "sqlite" or wait_until(_somebody_waits_for_us)
    forgetting.join(20)

    assert [count_failure(name, network, exists=False, now=NOW) for name in ("one", "two")] == [0, 0]


def _somebody_waits_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return cursor.fetchone() is not None


def test_invented_names_fill_so_many_rows_and_no_more(network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_failures, "GROUPS", 2)
    now, before = NOW, RateCount.objects.count()

    for _ in range(16):
        count_failure(secrets.token_hex(8), network, exists=False, now=now)

    assert RateCount.objects.count() - before <= 4


def test_which_names_share_a_group_only_we_know(settings: Any) -> None:
    groups = [_group(name, "192.0.2.1", now=NOW) for name in NAMES]

    settings.SECRET_KEY = "another-key"

    assert len(set(groups)) > 15
    assert [_group(name, "192.0.2.1", now=NOW) for name in NAMES] != groups


@pytest.mark.parametrize(
    ("address", "now"), [("192.0.2.2", NOW), ("192.0.2.1", NOW + DAY)], ids=["another network", "another day"]
)
def test_names_that_share_a_group_share_none_elsewhere_and_none_on_the_next_day(
    address: str, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_failures, "GROUPS", 4)

    def sharing(address: str, now: int) -> set[tuple[str, str]]:
        groups = {name: _group(name, address, now=now) for name in NAMES}
        return {(one, other) for one in NAMES for other in NAMES if one < other and groups[one] == groups[other]}

    assert sharing("192.0.2.1", NOW) != sharing(address, now)


def test_all_addresses_of_an_ipv6_network_have_the_same_groups() -> None:
    assert _group("amy", "2001:db8::1", now=NOW) == _group("amy", "2001:db8::2", now=NOW)


@pytest.mark.usefixtures("one_group")
def test_a_success_after_midnight_forgets_the_failures_after_midnight(network: str) -> None:
    midnight = (NOW // DAY + 1) * DAY
    for now in (midnight - SECOND, midnight):
        count_failure("amy", network, exists=True, now=now)

    forget_failures("amy", network, now=midnight)

    waits = [count_failure(name, network, exists=False, now=midnight) for name in ("one", "two", "three")]
    assert waits == [0, 0, 900]


def test_a_failure_costs_as_many_statements_whether_somebody_has_the_name_or_not(
    network: str, django_assert_num_queries: Any
) -> None:
    now = NOW

    for exists in (True, False):
        with django_assert_num_queries(2):
            count_failure("amy", network, exists=exists, now=now)
