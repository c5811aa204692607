"""AuditEvents and Provenance live in the audit database, what waits in the main one, and nothing else is touched."""

import pytest

from fhir.audit.models import Entry, Value, WaitingEvent
from fhir.audit.router import FhirAuditRouter
from fhir.models import Record


@pytest.mark.requirement("SD-10")
def test_each_table_has_one_home() -> None:
    router = FhirAuditRouter()

    homes = {model: router.db_for_read(model) for model in (Entry, Value, WaitingEvent, Record)}
    assert homes == {Entry: "audit", Value: "audit", WaitingEvent: "default", Record: None}
    assert router.db_for_write(Entry) == "audit"


@pytest.mark.requirement("SD-10")
@pytest.mark.parametrize(
    ("app", "model", "homes"),
    [
        ("fhir_audit", "entry", ["audit"]),
        ("fhir_audit", "waitingevent", ["default"]),
        ("fhir_audit", None, ["audit"]),
        ("fhir", "record", [None, None]),
    ],
)
def test_each_table_is_made_in_one_database(app: str, model: str | None, homes: list[str | None]) -> None:
    allowed = {name: FhirAuditRouter().allow_migrate(name, app, model) for name in ("default", "audit")}

    assert [name if allowed[name] else None for name in allowed if allowed[name] is not False] == homes
