"""Servers that are slow, down, huge, or answer nonsense: a report or a sentence, never a traceback."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Check, Outcome
from smartauth_probe.raw_http import BODY_LIMIT
from smartauth_probe.requests import Presentation
from smartauth_probe.runner import chosen, run
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.client import Client, Limits
from smartauth_probe.target.discovery import CouldNotRun, prepare
from smartauth_probe.target.fixture import Fixture, Person, Record
from smartauth_probe.target.probe import Probe
from smartauth_probe.target.server_facts import ServerFacts, read_statement
from tests.smartauth_probe.small_server import OpenTokens

pytestmark = pytest.mark.one_engine
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
Speak = Callable[[socket.socket], None]


@contextmanager
def speaking(speak: Speak) -> Iterator[str]:
    """A listener that says this to everybody."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    connection.recv(65_536)
                    speak(connection)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/fhir"
    finally:
        listener.close()


def says(content: bytes) -> Speak:
    return lambda connection: connection.sendall(content)


def endless(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 500000000\r\n\r\n")
    for _ in range(500):
        connection.sendall(b" " * 1_000_000)


def reset(connection: socket.socket) -> None:
    """Closed with a reset, in the middle of an answer."""
    connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


EVERY_WAY = [
    "requests",
    "search-*",
    "page*",
    "chain-*",
    "other-observation",
    "type-history",
    "no-token",
    "in-*",
    "cookie",
]
PEOPLE = (("A", "amy"), ("B", "ben"))
BUNDLE = b'{"resourceType":"Bundle","total":"x","link":{"a":1},"entry":[1,{"resource":[]},{"resource":{}}]}'
ODD = {
    "nothing": says(b""),
    "another protocol": says(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "half an answer": says(HEAD + b"Content-Length: 100\r\n\r\n{"),
    "a page": says(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"),
    "JSON of another kind": says(HEAD + b"Content-Length: 7\r\n\r\n[1,2,3]"),
    "bytes": says(HEAD + b"Content-Length: 4\r\n\r\n\xff\xfe\x00\x01"),
    "deep": says(HEAD + b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000),
    "a Bundle of nonsense": says(HEAD + b"Content-Length: %d\r\n\r\n" % len(BUNDLE) + BUNDLE),
    "a wrong length": says(HEAD + b"Content-Length: -1\r\n\r\n{}"),
    "a wrong chunk": says(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}"),
    "a reset": reset,
    "500 MB": endless,
}


def says_resource(resource: object) -> Speak:
    content = json.dumps(resource).encode()
    return says(HEAD + b"Content-Length: %d\r\n\r\n" % len(content) + content)


RESULT = {"resourceType": "Observation", "id": "amy-1", "subject": {"reference": "Patient/amy"}, "identifier": 7}
SHOWN = [{"resource": RESULT, "response": {"status": "200", "location": "http://["}}] * 4
NO_ADDRESS = {
    "a redirect": says(b"HTTP/1.1 302 No\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n"),
    "where an export is": says(b"HTTP/1.1 202 Yes\r\nContent-Location: http://[\r\nContent-Length: 0\r\n\r\n"),
    "a next page": says_resource(
        {"resourceType": "Bundle", "link": [{"relation": "next", "url": "http://["}], "entry": SHOWN}
    ),
    "an identifier": says_resource({**RESULT, "resourceType": "Patient"}),
}


def some_checks() -> list[Check]:
    return chosen(all_checks(), EVERY_WAY)[::3]


def probe_at(base: str) -> Probe:
    """One that has found its patients elsewhere, so that every check meets the server."""
    a, b = (Person(letter, key, {"Observation": [Record("Observation", f"{key}-1", "1")]}) for letter, key in PEOPLE)
    return Probe(Client(base, Limits(seconds=20)), OpenTokens(), ServerFacts(), Fixture(a, b))


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_server_gets_a_sentence_before_the_run(odd: str) -> None:
    with speaking(ODD[odd]) as base, pytest.raises(CouldNotRun):
        prepare(Client(base, Limits(seconds=20)), OpenTokens())


@pytest.mark.parametrize("odd", [name for name in ODD if name != "500 MB"])
def test_a_server_that_turns_odd_meanwhile_gets_a_report(odd: str) -> None:
    with speaking(ODD[odd]) as base:
        made = run(probe_at(base), some_checks())

    assert made.results
    assert not [each for each in made.results if "probe itself" in each.result.seen]
    assert len(made.results) == made.chosen or made.stopped


def test_a_redirect_to_no_address_is_a_sentence_before_the_run() -> None:
    with speaking(NO_ADDRESS["a redirect"]) as base, pytest.raises(CouldNotRun):
        prepare(Client(base, Limits(seconds=20)), OpenTokens())


@pytest.mark.parametrize("odd", NO_ADDRESS)
def test_no_check_breaks_at_what_is_no_address_and_no_identifier(odd: str) -> None:
    with speaking(NO_ADDRESS[odd]) as base:
        probe = probe_at(base)
        probe.writes = True
        made = run(probe, list(all_checks()))

    assert len(made.results) == made.chosen
    assert not [each.check.name for each in made.results if "probe itself" in each.result.seen]


def test_a_redirect_to_no_address_counts_as_one_that_leads_away() -> None:
    with speaking(NO_ADDRESS["a redirect"]) as base:
        client = Client(base)
        client.send(Presentation("Patient"))

    assert client.redirects == ["GET Patient: 302 to what is no address"]


def test_of_a_body_that_does_not_end_a_part_is_read() -> None:
    with speaking(endless) as base:
        answer = Client(base, Limits(seconds=20)).send(Presentation("metadata"))

    assert (answer.is_cut, len(answer.content)) == (True, BODY_LIMIT)


def test_a_server_that_says_nothing_is_waited_for_no_longer_than_was_said() -> None:
    waiting = threading.Event()

    def wait(_: socket.socket) -> None:
        waiting.wait(30)

    with speaking(wait) as base, pytest.raises(CouldNotRun, match=r"within 0\.2"):
        prepare(Client(base, Limits(seconds=0.2)), OpenTokens())
    waiting.set()


def test_a_server_that_is_down_is_named() -> None:
    with pytest.raises(CouldNotRun, match=r"^http://127\.0\.0\.1:1/fhir did not answer"):
        prepare(Client("http://127.0.0.1:1/fhir"), OpenTokens())


def test_a_statement_with_members_of_wrong_types_is_read_as_far_as_it_goes() -> None:
    rest = [{"resource": [{"type": 7}, {"type": "Patient", "interaction": [{"code": 1}, {"code": "read"}]}, "x"]}]
    statement = {"resourceType": "Conformance", "fhirVersion": "1.0.2", "software": [], "rest": rest}

    facts = read_statement(Answer(200, resource=statement), "application/json+fhir")

    assert (facts.version, str(facts)) == ("DSTU2", "FHIR DSTU2 (1.0.2)")
    assert facts.may_do("Patient", "read")
    assert not facts.may_do("Patient", "search-type")


def test_a_check_is_failed_where_the_server_breaks_under_it() -> None:
    with speaking(says(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")) as base:
        made = run(probe_at(base), chosen(all_checks(), ["search-filter", "another-type"]))

    assert [each.result.outcome for each in made.results] == [Outcome.FAILED, Outcome.FAILED]
