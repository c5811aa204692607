"""A part of the sweep that fails stops none of the others, and is told of."""

from typing import Any

import pytest

from accounts import clock
from oauth import tasks
from oauth.ending import marks
from oauth.models import AddressBlock, AddressChange, AssertionId
from oauth.retention import addresses, sweeping
from oauth.retention.partitions import Partitions
from smart.time_units import DAY
from tests.fixture_types import MakeClient, MakePerson

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def over(make_client: MakeClient) -> Any:
    """Something that the sweep deletes."""
    made = AssertionId.objects.create(client=make_client(), jti_digest="over", forget_at=clock.now() - DAY)
    return AssertionId.objects.filter(pk=made.pk)


@pytest.fixture
def old_block(make_client: MakeClient, make_person: MakePerson) -> Any:
    """An address that the sweep forgets."""
    person, then = make_person("ben"), clock.now() - 1000 * DAY
    made = AddressBlock.objects.create(user=person, client=make_client(), address="192.0.2.77", blocked_at=then)
    return AddressBlock.objects.filter(pk=made.pk)


class BrokenError(Exception):
    """What a part raises here."""


def break_down(*_: Any, **__: Any) -> int:
    raise BrokenError


@pytest.mark.parametrize("part", ["forget_answers", "delete_authorizations", "forget_addresses"])
def test_the_others_have_their_turn_and_the_failure_is_raised_at_the_end(
    over: Any, old_block: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, part: str
) -> None:
    monkeypatch.setattr(sweeping, part, break_down)
    with pytest.raises(BrokenError):
        sweeping.sweep()

    assert not over.exists()
    assert old_block.exists() is (part == "forget_addresses")
    assert "a part of the sweep failed" in caplog.text
    old_block.delete()


def test_partitions_that_cannot_be_made_keep_no_token_that_is_over(over: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dropped = list[int]()

    def drop(_: Partitions, *, before: int) -> int:
        dropped.append(before)
        return 0

    monkeypatch.setattr(Partitions, "add_in_time", break_down)
    monkeypatch.setattr(Partitions, "drop_expired", drop)

    with pytest.raises(BrokenError):
        sweeping.sweep()

    assert len(dropped) == 2


def test_addresses_of_one_kind_do_not_keep_those_of_another(old_block: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_blank", break_down)
    monkeypatch.setattr(AddressChange.objects, "filter", break_down)

    with pytest.raises(BrokenError):
        addresses.forget_addresses(now=clock.now(), days=90)

    assert not old_block.exists()


def test_an_ending_that_cannot_be_marked_stops_no_sweep(over: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "mark_all", break_down)

    with pytest.raises(BrokenError):
        tasks.sweep()

    assert not over.exists()
