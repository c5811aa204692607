"""When a token was used last: noted once a minute an authorization, and of so many at a time (RV-05)."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from accounts import clock
from introspection import last_use
from oauth.models import Authorization
from tests.fixture_types import Grant, Introspect, Issue
from tests.waiting import wait_until

NOW = 1_000_000_000


def use_of(authorization: int, used_at: int) -> Any:
    return SimpleNamespace(found=SimpleNamespace(authorization=authorization, used_at=used_at), address="192.0.2.9")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[dict[int, tuple[int, str]]]:
    """What is written, batch by batch."""
    batches: list[dict[int, tuple[int, str]]] = []

    async def run(write: Any) -> None:
        batches.append(write.args[0])

    monkeypatch.setattr(last_use, "writer_pool", SimpleNamespace(run=run))
    return batches


async def note_all(*uses: Any) -> None:
    for use in uses:
        last_use.note_last_use(use, NOW)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


@pytest.mark.requirement("RV-05")
def test_a_use_is_noted_when_the_one_before_is_a_minute_old(written: list[Any]) -> None:
    minute = last_use.EVERY

    asyncio.run(note_all(use_of(1, NOW - minute), use_of(2, NOW - minute + 1), use_of(3, 0), use_of(4, NOW)))

    assert written == [{1: (NOW, "192.0.2.9"), 3: (NOW, "192.0.2.9")}]


@pytest.mark.requirement("RV-05")
def test_an_introspection_of_a_live_token_is_a_use(issue: Issue, introspect: Introspect) -> None:
    answer, before = issue(), clock.now()
    rows = Authorization.objects.filter(pk=answer["granted"].authorization.pk, used_at__gte=before)

    assert introspect(answer["access_token"])["active"] is True

    assert wait_until(rows.exists)


@pytest.mark.requirement("RV-05")
def test_no_more_wait_than_so_many(written: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_use, "MOST_WAITING", 2)

    asyncio.run(note_all(use_of(1, 0), use_of(2, 0), use_of(3, 0)))

    assert [sorted(batch) for batch in written] == [[1, 2]]


@pytest.mark.requirement("RV-05")
def test_what_another_process_noted_within_the_minute_stands(grant: Grant) -> None:
    pk, now = grant().authorization.pk, clock.now()
    rows = Authorization.objects.filter(pk=pk).values_list("used_at", "used_from")
    found = []

    for moment, address in ((now, "a"), (now + last_use.EVERY - 1, "b"), (now + last_use.EVERY, "c")):
        last_use._write({pk: (moment, address)})
        found.append(rows.get())

    assert found == [(now, "a"), (now, "a"), (now + last_use.EVERY, "c")]
