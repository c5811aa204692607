"""Whatever a check makes is deleted again."""

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Outcome
from smartauth_probe.checks.writes.copies import copies
from smartauth_probe.runner import make, run
from smartauth_probe.target.discovery import prepare
from smartauth_probe.target.probe import WIDEST, Probe
from smartauth_probe.tokens.source import GivenToken, Wanted
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


def test_what_was_made_is_deleted_with_new_tokens_where_the_old_ones_ended() -> None:
    probe, client = prepared()
    there = paths(client)

    with copies(probe) as made:
        made.of(probe.a)
        for wanted, token in list(probe._tokens.items()):
            probe._tokens[wanted] = GivenToken("ended", token.label)

    assert (paths(client), probe.remains) == (there, [])


def test_a_check_that_writes_is_made_anew_where_its_token_had_ended() -> None:
    probe, client = prepared()
    (check,) = [each for each in all_checks() if each.name == "create-own"]
    there, token = paths(client), probe.token(WIDEST)
    probe._tokens[Wanted(WIDEST, probe.a.id)] = GivenToken("ended", token.label)

    made = make(probe, check)

    assert made.result.outcome is Outcome.PASSED
    assert (paths(client), probe.remains) == (there, [])
