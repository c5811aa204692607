"""What a read and a search page of the bundled FHIR server cost over HTTP, introspection included.

The FHIR server has a process of its own and asks another one about each token, as a stranger would.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bench import tables
from bench.contenders import A_SECRET, ROOT, Contender, cpu_seconds, free_port, serving, smartauth_environment
from bench.rounds import take_turns
from bench.sides import Side

READ, PAGE = "a read", "a search page of 20"
EACH = 40  # observations of a patient
HEAD = (
    "| | a second, median (lowest to highest) | p50 ms | p99 ms"
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


def fhir_table(ours: Contender, folder: Path, options: argparse.Namespace) -> str:
    """Both, in turns."""
    environment = {**smartauth_environment(folder, ours.port), **_settings(ours)}
    records = [sys.executable, "-m", "bench.fhir_records", str(options.pool), str(EACH)]
    subprocess.run(records, env={**os.environ, **environment}, cwd=ROOT, check=True)
    port = free_port()
    with serving(folder, port, 1, **environment) as process:
        known = {each.name: getattr(ours, each.name) for each in fields(Contender)}
        server = FhirServer(**{**known, "port": port, "process": process}, asked=ours.process.pid)
        turns = take_turns([Side(what, server, what) for what in (READ, PAGE)], folder, options)
    return "\n".join(["#### The bundled FHIR server", "", HEAD, *map(tables.measured, turns)])


def _settings(ours: Contender) -> dict[str, str]:
    return {
        "SMARTAUTH_FHIR_INTROSPECTION_URL": f"http://127.0.0.1:{ours.port}{ours.path}",
        "SMARTAUTH_FHIR_REPORT_URL": "off",
        "SMARTAUTH_FHIR_CLIENT_ID": "resource-server",
        "SMARTAUTH_FHIR_CLIENT_SECRET": A_SECRET,
    }
