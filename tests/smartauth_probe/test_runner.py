"""A run ends with a report, whatever a check or a server does."""

from collections.abc import Iterator
from typing import Any

import pytest

from smartauth_probe.checks.check import Check, Outcome, Result, failed, passed
from smartauth_probe.raw_http import NoAnswer
from smartauth_probe.runner import INTERRUPTED, make, run
from smartauth_probe.target.client import Client, Limits
from smartauth_probe.target.discovery import prepare
from smartauth_probe.target.probe import Probe
from smartauth_probe.tokens.source import Wanted
from tests.smartauth_probe.small_server import OpenTokens, client_of

pytestmark = pytest.mark.one_engine
BAD = failed("It is open.", "401", "200")


def check_of(judge: Any, name: str = "a-check") -> Check:
    return Check(id="TV-01", name=name, section="", title="", headline="", why="", fix="", source="", run=judge)


def probe_of() -> Probe:
    return prepare(client_of(), OpenTokens())


def in_turn(*results: Result) -> Check:
    left: Iterator[Result] = iter(results)
    return check_of(lambda probe: next(left))


def test_a_failure_is_seen_three_times_before_it_counts() -> None:
    made = make(probe_of(), in_turn(BAD, BAD, BAD))

    assert (made.result, made.failures, made.tries) == (BAD, 3, 3)


def test_what_failed_once_and_not_again_is_told_and_no_failure() -> None:
    made = make(probe_of(), in_turn(BAD, passed(), passed()))

    assert (made.result.outcome, made.failures) == (Outcome.POLICY, 1)
    assert made.result.seen == "Once of 3 times: It is open."


def test_a_token_that_was_ended_meanwhile_proves_nothing_and_is_replaced() -> None:
    class Renewed(OpenTokens):
        made = 0

        def token(self, wanted: Wanted) -> str:
            self.made += 1
            return "ended" if self.made == 1 else super().token(wanted)

    probe = probe_of()
    probe.source, seen = Renewed(), []
    probe.forget_tokens()

    def read(probe: Probe) -> Result:
        seen.append(probe.read("Patient", "amy", probe.token()).status)
        return passed()

    make(probe, check_of(read))

    assert seen == [401, 200]


def test_a_check_that_breaks_is_skipped_and_the_others_go_on() -> None:
    def broken(probe: Probe) -> Result:
        raise ZeroDivisionError

    made = run(probe_of(), [check_of(broken), check_of(lambda probe: passed(), "another")])

    assert [each.result.outcome for each in made.results] == [Outcome.SKIPPED, Outcome.PASSED]


def test_ctrl_c_leaves_what_was_found_so_far() -> None:
    def interrupt(probe: Probe) -> Result:
        raise KeyboardInterrupt

    made = run(probe_of(), [check_of(lambda probe: BAD), check_of(interrupt, "another")])

    assert (len(made.results), made.chosen, made.stopped) == (1, 2, INTERRUPTED)


def test_a_server_that_goes_away_stops_the_run() -> None:
    class Gone(Client):
        def send(self, *_: object) -> Any:
            self.unanswered += 1
            raise NoAnswer("it did not answer")

    probe = probe_of()
    probe.client = Gone("http://127.0.0.1:9/fhir")

    made = run(probe, [check_of(must_answer), check_of(lambda probe: passed(), "another")])

    assert [each.result.seen for each in made.results] == ["The server gave no answer."]
    assert made.stopped == "The server does not answer any more: it did not answer"


def must_answer(probe: Probe) -> Result:
    probe.read("Patient", "amy", probe.token())
    return passed()


def test_no_more_is_sent_than_was_allowed() -> None:

    client = Client("http://127.0.0.1:9/fhir", limits=Limits(requests=2))
    client.sent = 2
    probe = probe_of()
    probe.client = client

    made = run(probe, [check_of(must_answer)])

    assert (made.results, made.stopped) == ((), "2 requests were sent, and no more are allowed (--most-requests)")
