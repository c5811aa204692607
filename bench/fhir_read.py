"""What a read costs the process of the bundled FHIR server, in CPU time, and which share of it enforcement has.

On the database of bench/fhir_search.py, filled by it; the answer of introspection is at hand, without HTTP:
    SMARTAUTH_DATABASE_URL=... .venv/bin/python -m bench.fhir_read
"""

import statistics
import time
from collections.abc import Callable
from unittest.mock import patch

from django.test import Client, override_settings

from bench.fhir_search import BASE, caller
from fhir.http.enforcement import perform, require_allowed
from fhir.http.interaction import Asked, Caller
from fhir.models import Record
from fhir.store.visibility import visible
from fhir.token import introspection_client
from fhir.token.roles import within_role
from fhir.versions.version import load_version
from smart.decisions.question import split_url
from smart.decisions.subject import read_subject
from smart.decisions.view import Reach

ROUNDS, EACH = 15, 100
R4 = load_version("r4")
READ = "Observation/p500-7"
CLAIMS = {
    "active": True,
    "aud": BASE,
    "client_id": "bench",
    "exp": 2**33,
    "patient": "p500",
    "scope": "launch/patient patient/*.rs",
    "sub": "u-1",
}


def microseconds(work: Callable[[], object]) -> float:
    """CPU time of one, the least of many turns: what others do on the machine makes it more, never less."""
    turns = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(EACH):
            work()
        turns.append((time.process_time() - start) / EACH * 1e6)
    print(f"  median {statistics.median(turns):.0f}, least {min(turns):.0f}")
    return min(turns)


def asked() -> Asked:
    return Asked("GET", split_url(READ)[0])


def enforce() -> None:
    """From the claims to the decision: subject, reach, ruling and views."""
    subject = within_role(read_subject(CLAIMS, BASE, time.time()), R4.writers)
    reach = Reach(subject, "r4", BASE)
    require_allowed(Caller(R4, BASE, reach, reach, CLAIMS), asked())


def condition() -> float:
    """What the view adds to the statement before it is sent."""
    records = Record.objects.filter(fhir_version="r4", type="Observation", resource_id="p500-7", is_current=True)
    view = caller("patient/*.rs").reach.view("Observation", "r")
    narrowed = microseconds(lambda: visible(records, R4, "Observation", view).query.sql_with_params())
    return narrowed - microseconds(lambda: records.all().query.sql_with_params())


def main() -> None:
    client = Client()
    with (
        override_settings(SMARTAUTH_FHIR_BASES={"r4": BASE}, ALLOWED_HOSTS=["*"]),
        patch.object(introspection_client, "introspect", lambda token, address: CLAIMS),
    ):

        def read() -> None:
            answer = client.get(f"/fhir/r4/{READ}", HTTP_AUTHORIZATION="Bearer a.good-token")
            assert answer.status_code == 200, answer.content

        whole = microseconds(read)
    asker = caller("patient/*.rs")
    done = microseconds(lambda: perform(asker, asked()))
    decided, narrowed = microseconds(enforce), condition()
    print(f"| whole request | {whole:.0f} | |")
    print(f"| decision, both statements, event | {done:.0f} | {done / whole:.0%} |")
    print(f"| of it the view as a condition of the statement | {narrowed:.0f} | {narrowed / whole:.0%} |")
    print(f"| claims, reach, decision | {decided:.0f} | {decided / whole:.1%} |")


if __name__ == "__main__":
    main()
