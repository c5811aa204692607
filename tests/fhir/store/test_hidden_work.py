"""What is hidden costs the database what an unknown id costs: the same statements, and nothing that is fetched."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.fhir.conftest import BASE, Introspection
from tests.fixture_types import Fetch

pytestmark = pytest.mark.usefixtures("records")

RESOURCE = '{"resourceType": "Observation", "id": "%s", "status": "final", "code": {"text": "x"}}'
PATCH = '[{"op": "replace", "path": "/status", "value": "amended"}]'
REQUESTS = [
    ("GET", "{type}/{id}", ""),
    ("HEAD", "{type}/{id}", ""),
    ("GET", "{type}/{id}/_history", ""),
    ("GET", "{type}/{id}/_history/1", ""),
    ("GET", "{type}?_id={id}", ""),
    ("GET", "{type}?_id={id}&_summary=count", ""),
    ("GET", "Observation?_revinclude=Provenance:target&_id={id}", ""),
    ("PUT", "Observation/{id}", RESOURCE),
    ("PATCH", "{type}/{id}", PATCH),
    ("DELETE", "{type}/{id}", ""),
    ("GET", "Patient/{id}/Observation", ""),
    ("GET", "Patient/{id}/*", ""),
    ("GET", "Patient/{id}/$everything", ""),
    ("DELETE", "Observation?_id={id}", ""),
]
TOKENS: dict[str, Any] = {
    "a patient's app": {"scope": "patient/*.cruds", "patient": "amy"},
    "a person's app": {
        "scope": "user/*.cruds",
        "fhirUser": f"{BASE}/Practitioner/dr-green",
        "__patients": ["amy", "x"],
    },
    "narrow": {"scope": "patient/*.r patient/Observation.cruds?code=x", "patient": "amy"},
}


def without_own_names(statement: str) -> str:
    """A statement without what differs between any two: names of savepoints, ids and moments of the events."""
    if "SAVEPOINT" in statement:
        return statement.partition('"')[0]
    return statement.partition("VALUES")[0] if "fhir_audit" in statement else statement


@pytest.mark.requirement("HI-01", "HI-04")
@pytest.mark.parametrize("token", TOKENS)
def test_what_is_hidden_is_looked_for_by_the_statements_that_an_unknown_id_costs(
    fetch: Fetch, introspection: Introspection, token: str
) -> None:
    introspection.knows(**TOKENS[token])

    def statements(method: str, path: str, body: str, resource_id: str) -> tuple[int, list[str]]:
        data = (body % resource_id if "%s" in body else body).encode()
        kind = "application/json-patch+json" if method == "PATCH" else "application/fhir+json"
        with transaction.atomic(), CaptureQueriesContext(connection) as asked:
            answer = fetch(path, method=method, data=data, content_type=kind)
            transaction.set_rollback(True)
        found = [one["sql"].replace(resource_id, "[id]") for one in asked.captured_queries]
        return answer.status, [without_own_names(each) for each in found]

    for method, url, body in REQUESTS:
        for kind, hidden, unknown in (("Patient", "ben", "nob"), ("Observation", "lab-b", "lab-u")):
            other, never = (
                statements(method, url.format(type=kind, id=each), body, each) for each in (hidden, unknown)
            )
            assert other == never, (method, url, kind)
