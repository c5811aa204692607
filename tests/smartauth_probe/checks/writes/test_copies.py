"""Whatever a check makes is deleted again."""

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.writes.copies import copies
from smartauth_probe.runner import run
from smartauth_probe.target.discovery import prepare
from smartauth_probe.target.probe import Probe
from tests.smartauth_probe.small_server import InProcess, OpenTokens, client_of

pytestmark = pytest.mark.one_engine


def prepared(*faults: str) -> tuple[Probe, InProcess]:
    client = client_of(*faults)
    return prepare(client, OpenTokens(), writes=True), client


def paths(client: InProcess) -> set[str]:
    """What is there now."""
    return {f"{each['resourceType']}/{each['id']}" for each in client.server.current()}


@pytest.mark.parametrize("faults", [(), ("write-anywhere",), ("upsert-open",)], ids=str)
def test_nothing_that_was_made_stays(faults: tuple[str, ...]) -> None:
    probe, client = prepared(*faults)
    there = paths(client)

    run(probe, [check for check in all_checks() if check.writes])

    assert probe.remains == []
    assert paths(client) == there


def test_what_was_made_is_deleted_after_ctrl_c_too() -> None:
    probe, client = prepared()
    there = paths(client)

    def make_and_interrupt() -> None:
        with copies(probe) as made:
            made.of(probe.a)
            assert paths(client) > there
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_and_interrupt()

    assert paths(client) == there


def test_what_cannot_be_deleted_is_named() -> None:
    probe, _ = prepared("delete-refused")

    with copies(probe) as made:
        record = made.of(probe.b)

    assert probe.remains == [record.path]
