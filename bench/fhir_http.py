"""What a read and a search page cost over HTTP, what the FHIR server asks about its token included.

The bundled FHIR server has a process of its own and introspects each token, as a stranger would. Beside it HAPI's plain
server of the recipe, if Java and what Maven needs are there: it asks for a decision about the request, and in a second
request for one about each record that goes out.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bench import hapi, tables
from bench.contenders import A_SECRET, ROOT, Contender, cpu_seconds, free_port, serving, smartauth_environment
from bench.rounds import measure, take_turns
from bench.sides import Side

READ, PAGE = "a read", "a search page of 20"
EACH = 40  # observations of a patient
WARM_ROUNDS = 5  # uncounted: Java compiles what is hot for many seconds
HEAD = (
    "| FHIR server, and what it asks | a second, median (lowest to highest) | p50 ms | p99 ms"
    " | CPU µs a request: FHIR server + authorization server, without the database |\n|---|---|---|---|---|"
)


@dataclass
class FhirServer(Contender):
    """A server of records; the other process whose CPU time counts is the one that it asks."""

    asked: int = 0

    def load_plan(self, what: str, seconds: float) -> dict[str, Any]:
        path = "Observation/{}-7" if what == READ else "Observation?code=http://loinc.org|85354-9&_sort=-date&_count=20"
        requests = [
            (self._get(path.format(f"patient-{number}").replace("|", "%7C"), token), self._expected(what, number))
            for number, (token, _) in enumerate(self.tokens)
        ]
        return {"port": self.port, "what": what, "requests": requests}

    def _get(self, path: str, token: str) -> str:
        return (
            f"GET /fhir/r4/{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {token}\r\n"
            "Accept: application/fhir+json\r\n\r\n"
        )

    def _expected(self, what: str, number: int) -> str:
        """The id of the resource, or how many the Bundle has found."""
        return f"patient-{number}-7" if what == READ else str(EACH)

    def cpu_seconds(self) -> tuple[float, float]:
        return cpu_seconds(self.process.pid), cpu_seconds(self.asked)


def fhir_tables(ours: Contender, folder: Path, options: argparse.Namespace) -> Iterator[str]:
    """The bundled server and HAPI's in turns."""
    with ExitStack() as stack:
        servers = [stack.enter_context(_bundled(ours, folder, options.pool))]
        built = hapi.build(folder)
        if built:
            servers.append(stack.enter_context(_hapi(built, ours, folder, options.pool)))
        else:
            yield "HAPI's plain server is left out: no Java, no Maven, or not its packages (`python -m tests.maven`)."
        for what in (READ, PAGE):
            sides = [Side(server.name, server, what) for server in servers]
            for side in sides:
                measure(side, folder, connections=options.connections, seconds=WARM_ROUNDS * options.seconds)
            turns = take_turns(sides, folder, options)
            yield "\n".join([f"#### FHIR over HTTP: {what}", "", HEAD, *map(tables.measured, turns)])


@contextmanager
def _bundled(ours: Contender, folder: Path, patients: int) -> Iterator[FhirServer]:
    environment = {**smartauth_environment(folder, ours.port), **_settings(ours)}
    records = [sys.executable, "-m", "bench.fhir_records", str(patients), str(EACH)]
    subprocess.run(records, env={**os.environ, **environment}, cwd=ROOT, check=True)
    port = free_port()
    with serving(folder, port, 1, **environment) as process:
        yield _server("bundled, records in PostgreSQL; an introspection", port, process, ours)


@contextmanager
def _hapi(built: Path, ours: Contender, folder: Path, patients: int) -> Iterator[FhirServer]:
    name = f"HAPI {hapi.version()}, records in memory; a decision, then one about each record"
    with hapi.serving(built, ours, folder, patients, EACH) as (port, process):
        yield _server(name, port, process, ours)


def _server(name: str, port: int, process: subprocess.Popen[bytes], ours: Contender) -> FhirServer:
    known = {each.name: getattr(ours, each.name) for each in fields(Contender)}
    return FhirServer(**{**known, "name": name, "port": port, "process": process}, asked=ours.process.pid)


def _settings(ours: Contender) -> dict[str, str]:
    return {
        "SMARTAUTH_FHIR_INTROSPECTION_URL": f"http://127.0.0.1:{ours.port}{ours.path}",
        "SMARTAUTH_FHIR_REPORT_URL": "off",
        "SMARTAUTH_FHIR_CLIENT_ID": "resource-server",
        "SMARTAUTH_FHIR_CLIENT_SECRET": A_SECRET,
    }
