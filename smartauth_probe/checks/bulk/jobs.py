"""An export: started, waited for, and deleted."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer, Json
from smartauth_probe.target.probe import Probe
from smartauth_probe.target.sending import Pairs
from smartauth_probe.tokens.source import GivenToken

PATHS = ("Patient/$export", "$export")
HEADERS = (("Prefer", "respond-async"),)
EVERYTHING = "system/*.rs"
LONGEST = 30.0  # seconds to wait for an export
PAUSE, LONGEST_PAUSE = 0.2, 2.0


@dataclass(frozen=True, slots=True)
class Job:
    """`url` is where it is asked how far it is."""

    probe: Probe
    url: str
    token: GivenToken

    def manifest(self) -> Json:
        """What it made. Raises Skip where that takes too long."""
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            answer = self.probe.follow(self.url, self.token)
            if answer.status == 200:
                return answer.resource
            if answer.status != 202:
                raise Skip(f"The export came to nothing: {answer}.")
            time.sleep(min(_seconds(answer) or PAUSE, LONGEST_PAUSE))
        raise Skip(f"The export was not ready after {LONGEST:g} seconds.")

    def files(self) -> list[tuple[str, str]]:
        """Type and address of each. Raises Skip."""
        output = self.manifest().get("output")
        found = [each for each in output if isinstance(each, dict)] if isinstance(output, list) else []
        return [(str(each.get("type", "")), str(each.get("url", ""))) for each in found]


def _seconds(answer: Answer) -> float:
    """What Retry-After says, 0 where it says none."""
    value = answer.headers.get("Retry-After") or ""
    return float(value) if value.isdecimal() else 0.0


def start(probe: Probe, path: str, token: GivenToken, query: Pairs = ()) -> Answer:
    return probe.send("GET", path, token, query, HEADERS)


def is_started(answer: Answer) -> bool:
    return answer.status == 202 or (answer.is_ok and bool(answer.headers.get("Content-Location")))


def cancel(probe: Probe, answer: Answer, token: GivenToken) -> None:
    probe.follow_quietly("DELETE", answer.headers.get("Content-Location") or "", token)


def service(probe: Probe, scope: str = EVERYTHING) -> GivenToken:
    """Of a backend service. Raises Skip."""
    return probe.token(scope, "")


def need_export(probe: Probe) -> str:
    """The path by which this server exports. Raises Skip where a service that may read everything gets none."""
    if probe.client.is_dry:
        return PATHS[0]
    answers = []
    for path in PATHS:
        answers.append(start(probe, path, service(probe), (("_type", "Patient"),)))
        if is_started(answers[-1]):
            cancel(probe, answers[-1], service(probe))
            return path
    raise Skip(f"The server has no bulk export: {PATHS[0]} answered {answers[0].status} to {EVERYTHING}.")


@contextmanager
def export(probe: Probe, scope: str = EVERYTHING, query: Pairs = ()) -> Iterator[Job | None]:
    """One with these scopes, None where it is refused; deleted in the end. Raises Skip."""
    path, token = need_export(probe), service(probe, scope)
    answer = start(probe, path, token, query)
    if not is_started(answer):
        yield None
        return
    try:
        yield Job(probe, answer.headers.get("Content-Location") or "", token)
    finally:
        cancel(probe, answer, token)


@contextmanager
def export_of_patients(probe: Probe) -> Iterator[Job]:
    """One of all patients. Raises Skip."""
    with export(probe, query=(("_type", "Patient"),)) as job:
        if job is None:
            raise Skip("The server exports no patients.")
        yield job


def resources(answer: Answer) -> list[dict[str, Any]]:
    """Those of a file, a line each; the last one of a long file may be cut."""
    found = []
    for line in answer.content.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return [each for each in found if isinstance(each, dict)]
