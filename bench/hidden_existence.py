"""Whether time tells a record of another patient from an id that never was, among 100,000 records (HI-04).

On PostgreSQL, in a database of its own that has been migrated (docs/benchmarks.md):
    SMARTAUTH_DATABASE_URL=... .venv/bin/python -m bench.hidden_existence
"""

import statistics
import time
from contextlib import suppress

from bench.fhir_search import EACH, PATIENTS, caller, fill
from fhir.http.enforcement import perform
from fhir.http.interaction import Asked
from fhir.models import Record
from fhir.operation_outcome import NotFound
from fhir.search.query import parse_parameters
from smart.decisions.question import split_url

PAIRS = 200
OBSERVATION = '{"resourceType": "Observation", "id": "%s", "status": "final", "code": {"text": "x"}}'
# by a path with the id, and the ids: one of another patient, and one that never was
ASKED = (
    ("GET", "Observation/{}", "p100-7", "p100-700"),
    ("GET", "Observation/{}/_history/1", "p100-7", "p100-700"),
    ("GET", "Observation/{}/_history", "p100-7", "p100-700"),
    ("GET", "Observation?_id={}", "p100-7", "p100-700"),
    ("PUT", "Observation/{}", "p100-7", "p100-700"),
    ("DELETE", "Observation/{}", "p100-7", "p100-700"),
    ("GET", "Patient/{}", "p100", "q100"),
    ("GET", "Patient/{}/Observation", "p100", "q100"),
    ("GET", "Patient/{}/$everything", "p100", "q100"),
)


def seconds(method: str, url: str, resource_id: str) -> float:
    """How long the answer takes, which is the same for both."""
    path, query = split_url(url.format(resource_id))
    body = OBSERVATION % resource_id if method == "PUT" else ""
    asked, held = Asked(method, path, parse_parameters(query.encode()), body=body), caller("patient/*.cruds")
    start = time.perf_counter()
    with suppress(NotFound):
        perform(held, asked)
    return time.perf_counter() - start


def main() -> None:
    if Record.objects.count() != PATIENTS * (EACH + 1):
        fill()
    print("| Request | of another patient, median ms | never was, median ms | apart |\n|---|---|---|---|")
    for method, url, hidden, unknown in ASKED:
        times: dict[str, list[float]] = {hidden: [], unknown: []}
        for number in range(PAIRS):  # now the one first, now the other: what was asked before is felt too
            for resource_id in (hidden, unknown) if number % 2 else (unknown, hidden):
                times[resource_id].append(seconds(method, url, resource_id))
        other, never = (statistics.median(times[resource_id]) * 1000 for resource_id in (hidden, unknown))
        print(f"| `{method} {url.format('[id]')}` | {other:.3f} | {never:.3f} | {other - never:+.3f} |", flush=True)


if __name__ == "__main__":
    main()
