"""How kind the probe is to a server: how fast it asks, how long it waits, and which server it asks."""

import socket
import threading

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Outcome
from smartauth_probe.listener import listener
from smartauth_probe.raw_http import NoAnswer
from smartauth_probe.requests import Presentation
from smartauth_probe.runner import chosen, run
from smartauth_probe.target import client
from smartauth_probe.target.client import Client, Limits
from tests.smartauth_probe.small_server import respond
from tests.smartauth_probe.target.test_odd_servers import HEAD, probe_at, says, speaking

pytestmark = pytest.mark.one_engine


def test_it_asks_no_faster_than_was_said() -> None:
    waited: list[float] = []

    with speaking(says(HEAD + b"Content-Length: 2\r\n\r\n{}")) as base:
        client = Client(base, Limits(per_second=0.01), _sleep=waited.append)
        for _ in range(3):
            client.send(Presentation("metadata"))

    first, second = waited
    assert 90 < first <= 100  # the first request waits for nothing
    assert 190 < second <= 200  # nobody slept here, so its turn comes after both


def test_an_answer_that_trickles_is_waited_for_no_longer_than_was_said() -> None:
    is_over = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
        while not is_over.wait(0.02):
            connection.sendall(b" ")

    with speaking(trickle) as base, pytest.raises(NoAnswer):
        Client(base, Limits(seconds=0.3)).send(Presentation("metadata"))
    is_over.set()


@pytest.mark.requirement("TV-33")
def test_a_redirect_to_another_server_is_a_finding_and_is_not_followed() -> None:
    with listener() as (elsewhere, calls):
        moved = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere}/fhir\r\nContent-Length: 0\r\n\r\n"
        with speaking(says(moved.encode())) as base:
            made = run(probe_at(base), chosen(all_checks(), ["leads-nowhere-else"]))

    assert [each.result.seen for each in made.of(Outcome.FAILED)] == ["A redirect leads away."]
    assert calls == []


@pytest.mark.requirement("TV-33")
def test_a_redirect_during_any_check_is_a_finding_of_the_last_one() -> None:
    with listener() as (elsewhere, calls):
        moved = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere}/fhir\r\nContent-Length: 0\r\n\r\n"
        with speaking(says(moved.encode())) as base:
            probe = probe_at(base)
            run(probe, chosen(all_checks(), ["head-is-get"]))
        with speaking(says(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")) as base:
            probe.client.base = base
            made = run(probe, chosen(all_checks(), ["leads-nowhere-else"]))

    assert all_checks()[-1].name == "leads-nowhere-else"
    assert [each.result.received for each in made.of(Outcome.FAILED)] == [
        f"HEAD Patient/amy: 302 to {elsewhere.removeprefix('http://')}"
    ]
    assert calls == []


@pytest.mark.requirement("TV-27")
@pytest.mark.parametrize(
    ("body", "outcome", "seen"),
    [
        (b"{}", Outcome.POLICY, "GET Patient/ben: 500."),
        (b"Traceback (most recent call last)", Outcome.FAILED, "GET Patient/ben: 500 holds a trace."),
    ],
)
def test_a_server_that_breaks_at_any_request_is_told_of_and_one_that_shows_its_inside_fails(
    body: bytes, outcome: Outcome, seen: str
) -> None:
    broken = b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with speaking(says(broken)) as base:
        probe = probe_at(base)
        run(probe, chosen(all_checks(), ["other-patient"]))
        made = run(probe, chosen(all_checks(), ["breaks-nowhere"]))

    assert [(each.result.outcome, each.result.seen) for each in made.results] == [(outcome, seen)]


def judged(monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, str]) -> tuple[Outcome, str]:
    """What is said in the end of a run with these answers."""
    sent = iter(answers)
    monkeypatch.setattr(client, "send", lambda *_, **__: respond(*next(sent)))
    probe = probe_at("http://127.0.0.1:1/fhir")
    for number, _ in enumerate(answers):
        probe.client.send(Presentation(f"Patient/{number}"))
    (made,) = run(probe, chosen(all_checks(), ["breaks-nowhere"])).results
    return made.result.outcome, made.result.seen


@pytest.mark.requirement("TV-27")
def test_a_trace_is_found_late_in_the_run_and_late_in_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = f"{' ' * 20_000}Traceback (most recent call last)"

    seen = judged(monkeypatch, *[(500, "")] * 25, (500, trace), (500, ""), (500, "SQLSTATE"))

    assert seen == (Outcome.FAILED, "GET Patient/25: 500 holds a trace.")


def test_what_is_not_there_or_busy_did_not_break_and_is_not_told_as_below_500(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, seen = judged(monkeypatch, (501, ""), (503, ""))

    assert outcome is Outcome.PASSED
    assert "501" in seen
    assert "503" in seen
    assert judged(monkeypatch, (404, ""), (500, ""), (502, "")) == (Outcome.POLICY, "GET Patient/1: 500.")
