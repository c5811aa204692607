"""How long a page of a search takes in the bundled FHIR server with 100,000 records, decision and Bundle included.

On PostgreSQL, in a database of its own that has been migrated (docs/benchmarks.md):
    SMARTAUTH_DATABASE_URL=... .venv/bin/python -m bench.fhir_search
"""

import json
import os
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartauth.settings")
django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from fhir.http.enforcement import perform  # noqa: E402
from fhir.http.interaction import Asked, Caller  # noqa: E402
from fhir.models import Record  # noqa: E402
from fhir.search.query import parse_parameters  # noqa: E402
from fhir.store.versions import add_versions, first_version  # noqa: E402
from fhir.versions.version import load_version  # noqa: E402
from smart.decisions.question import split_url  # noqa: E402
from smart.decisions.subject import Subject  # noqa: E402
from smart.decisions.view import Reach  # noqa: E402
from smart.scopes.scope_sets import parse_scopes  # noqa: E402

PATIENTS, EACH, ROUNDS = 1000, 99, 30
BASE = "http://127.0.0.1:8000/fhir/r4"
LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
QUESTIONS = (
    ("patient/*.rs", "Observation/p500-7"),
    ("patient/*.rs", "Observation"),
    ("patient/*.rs", "Observation?code=http://loinc.org|c7&date=ge2026-01-01"),
    ("patient/*.rs", "Observation?_sort=-date"),
    ("patient/*.rs", "Observation?patient.family=Shaw500&_include=Observation:subject"),
    (f"patient/Observation.rs?category={LABORATORY}", "Observation"),
    ("user/*.rs", "Observation?code=c7"),
    ("system/*.rs", "Observation?patient=p500"),
    ("system/*.rs", "Observation?code=c7"),
    ("system/*.rs", "Observation?code=c7&_total=none"),
    ("system/*.rs", "Observation?date=ge2026-06-01&_total=none"),
    ("system/*.rs", "Patient?family=Shaw5"),
    ("system/*.rs", "Patient?_has:Observation:patient:code=c7&_total=none"),
    ("patient/*.rs", "Patient/p500/Observation"),
    ("patient/*.rs", "Patient/p500/*"),
    ("patient/*.rs", "Patient/p500/$everything"),
    ("patient/*.rs", "_history"),
    ("user/*.rs", "_history"),
    ("system/*.rs", "_history"),
    ("system/*.rs", "_history?_since=2026-02-01"),
)
# a copy of the first patient's rows for each other patient, with ids and texts of its own
COPIES = {
    "fhir_record": "fhir_version, type, replace(resource_id, 'p0', 'p' || n), number, moment, is_current, is_deleted,"
    " is_restricted, replace(replace(content, 'p0', 'p' || n), 'Shaw0', 'Shaw' || n)",
    "fhir_membership": "'p' || n, fhir_version, type, is_here, {record}",
    "fhir_reference": "type, replace(target, 'p0', 'p' || n), {record}",
    "fhir_tokenvalue": "parameter, system, replace(code, 'p0', 'p' || n), {record}",
    "fhir_stringvalue": "parameter, convert_to(replace(convert_from(start, 'UTF8'), 'shaw0', 'shaw' || n), 'UTF8'),"
    " replace(folded, 'shaw0', 'shaw' || n), replace(exact, 'Shaw0', 'Shaw' || n), {record}",
    "fhir_datevalue": "parameter, low, high, {record}",
    "fhir_referencevalue": "parameter, type, replace(target, 'p0', 'p' || n), {record}",
}
COLUMNS = {
    "fhir_record": "id, fhir_version, type, resource_id, number, moment, is_current, is_deleted, is_restricted,"
    " content",
    "fhir_membership": "patient, fhir_version, type, is_here, record_id",
    "fhir_reference": "type, target, record_id",
    "fhir_tokenvalue": "parameter, system, code, record_id",
    "fhir_stringvalue": "parameter, start, folded, exact, record_id",
    "fhir_datevalue": "parameter, low, high, record_id",
    "fhir_referencevalue": "parameter, type, target, record_id",
}


def fill() -> None:
    """A patient with their records, by the server's own code; the others by copies in the database."""
    Record.objects.all().delete()
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    add_versions([first_version("r4", str(one["resourceType"]), str(one["id"]), json.dumps(one), moment)
                  for one in resources()])  # fmt: skip
    last = Record.objects.latest("pk").pk
    with connection.cursor() as cursor:
        for table, select in COPIES.items():
            key = f"id + {last} * n, " if table == "fhir_record" else ""
            values = select.format(record=f"record_id + {last} * n")
            cursor.execute(
                f"INSERT INTO {table} ({COLUMNS[table]}) SELECT {key}{values}"  # all of it stands above
                f" FROM {table}, generate_series(1, {PATIENTS - 1}) AS n ORDER BY n"
            )
        cursor.execute("VACUUM ANALYZE")


def resources() -> Iterator[dict[str, object]]:
    yield {"resourceType": "Patient", "id": "p0", "name": [{"family": "Shaw0"}], "gender": "female"}
    system, code = LABORATORY.split("|")
    for number in range(EACH):
        yield {
            "resourceType": "Observation",
            "id": f"p0-{number}",
            "status": "final",
            "category": [{"coding": [{"system": system, "code": code if number % 3 else "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": f"c{number % 20}"}]},
            "subject": {"reference": "Patient/p0"},
            "effectiveDateTime": (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=3 * number)).isoformat(),
            "valueQuantity": {"value": 72.5, "unit": "kg"},
        }


def caller(scope: str) -> Caller:
    """One patient, a person with fifty patients, or a backend service."""
    scopes = parse_scopes(scope)
    context = scope.partition("/")[0]
    patients = frozenset(f"p{number}" for number in range(480, 530)) if context == "user" else frozenset[str]()
    subject = Subject(scopes, "p500" if context == "patient" else "", patients, is_backend=context == "system")
    reach = Reach(subject, "r4", BASE)
    return Caller(load_version("r4"), BASE, reach, reach, {"client_id": "bench"})


def cpu_seconds() -> float:
    """What this process and the one of PostgreSQL that serves it have been on a CPU, on the same Linux machine."""
    connection.ensure_connection()
    served = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text(encoding="ascii")
    return time.process_time() + int(served.split()[0]) / 1e9


def measure(scope: str, url: str) -> str:
    """A row of the table."""
    path, query = split_url(url)
    asked = Asked("GET", path, parse_parameters(query.replace("|", "%7C").encode()))
    times, busy = [], cpu_seconds()
    for _ in range(ROUNDS):
        start = time.perf_counter()
        answer = perform(caller(scope), asked)
        times.append((time.perf_counter() - start) * 1000)
    busy = (cpu_seconds() - busy) / ROUNDS * 1000
    with CaptureQueriesContext(connection) as statements:
        perform(caller(scope), asked)
    body = json.loads(answer.text)
    found = body.get("total", "-") if body["resourceType"] == "Bundle" else 1
    shown = scope.partition("?")[0] + (" (one category)" if "?" in scope else "")
    return (
        f"| `{shown}` | `{url}` | {found} | {len(statements)} | {statistics.median(times):.1f} |"
        f" {min(times):.1f} | {busy:.1f} |"
    )


def main() -> None:
    if Record.objects.count() != PATIENTS * (EACH + 1):
        fill()
    print(f"{Record.objects.count()} records")
    for scope, url in QUESTIONS:
        print(measure(scope, url), flush=True)


if __name__ == "__main__":
    main()
