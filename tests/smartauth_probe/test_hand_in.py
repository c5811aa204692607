"""Who is told with what result the probe ran: the development smartauth whose tokens were sent, and nobody else."""

from typing import Any

import pytest

from smartauth_probe.development_server import DevelopmentServer, OrderRefused
from smartauth_probe.hand_in import hand_in
from smartauth_probe.tokens.development import DevelopmentTokens
from tests.smartauth_probe.report.test_forms import report_of
from tests.smartauth_probe.small_server import OpenTokens

pytestmark = pytest.mark.one_engine


class Told(DevelopmentServer):
    """One that only keeps what it is told."""

    def __init__(self, refusal: str = "") -> None:
        super().__init__("http://127.0.0.1:9")
        self.refusal, self.heard = refusal, list[Any]()

    def tell_probe_result(self, numbers: Any) -> None:
        self.heard.append(numbers)
        if self.refusal:
            raise OrderRefused(self.refusal)


def tokens_of(server: DevelopmentServer) -> DevelopmentTokens:
    return DevelopmentTokens(server, client="demo-public", user="amy", aud="http://127.0.0.1:9000/fhir")


def test_the_server_whose_tokens_were_sent_is_told_of_the_base_that_they_were_for() -> None:
    server = Told()

    assert hand_in(report_of(), tokens_of(server)) == ""
    assert [each["server"] for each in server.heard] == ["http://127.0.0.1:9000/fhir"]


def test_one_that_takes_no_result_or_is_gone_is_said_in_a_sentence() -> None:
    refused = hand_in(report_of(), tokens_of(Told("POST /dev/probe/results answered 404")))
    gone = hand_in(report_of(), tokens_of(DevelopmentServer("http://127.0.0.1:9")))

    assert refused == "http://127.0.0.1:9 does not know of this run: POST /dev/probe/results answered 404"
    assert gone.startswith("http://127.0.0.1:9 does not know of this run: http://127.0.0.1:9 did not answer: ")


def test_tokens_of_another_authorization_server_tell_nobody() -> None:
    assert hand_in(report_of(), OpenTokens()) == ""
