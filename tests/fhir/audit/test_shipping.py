"""From the main database to the audit database: in the version's form, each once, whatever happens on the way."""

import json
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import (
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
)
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from fhir.audit import shipping, tasks
from fhir.audit.models import Entry, WaitingEvent
from fhir.audit.outbox import new_row, record
from fhir.audit.shipping import ship
from fhir.models import Record
from fhir.validation.problems import problems
from fhir.versions.version import load_version

pytestmark = [
    pytest.mark.django_db(databases=["default", "audit"]),
    pytest.mark.usefixtures("records", "nothing_waits"),
    pytest.mark.requirement("SD-10"),
]

FACTS = {
    "version": "r4", "base": "http://127.0.0.1:8000/fhir/r4", "at": 1_795_000_000_123_456, "address": "203.0.113.9",
    "interaction": "update", "client": "app-9", "person": "u-77", "own_record": "Practitioner/dr-green",
    "patient": "", "target": "Observation/lab-a", "status": 200,
    "records": [["Observation/lab-a/_history/2", None]], "is_written": True,
}  # fmt: skip
NOW = 1_795_001_000_000_000
CASES: dict[str, dict[str, Any]] = {
    "a write": FACTS,
    "a read by a backend": {**FACTS, "interaction": "read", "person": "", "own_record": "", "is_written": False},
    "a search that found nothing": {
        **FACTS, "interaction": "search-type", "target": "", "records": [], "is_written": False
    },
    "a refusal": {
        name: value for name, value in {**FACTS, "status": 404}.items() if name not in ("records", "is_written")
    },
    "no interaction": {**FACTS, "interaction": "", "status": 503, "records": [], "is_written": False, "address": ""},
    "a stranger": {
        "version": "r4", "base": FACTS["base"], "at": FACTS["at"], "address": "203.0.113.0", "status": 401,
        "seconds": 600,
    },
}  # fmt: skip


def shipped(**facts: Any) -> dict[str, dict[str, Any]]:
    row = new_row(facts)
    record([row])
    ship()
    found = Entry.objects.filter(resource_id=row.event_id)
    return {entry.type: json.loads(entry.content) for entry in found}


@pytest.mark.parametrize("version", ["dstu2", "stu3", "r4"])
@pytest.mark.parametrize("case", CASES)
def test_each_version_tells_it_in_a_form_of_its_own_that_is_valid(version: str, case: str) -> None:
    found = shipped(**{**CASES[case], "version": version})

    assert set(found) == ({"AuditEvent", "Provenance"} if case == "a write" else {"AuditEvent"})
    for content in found.values():
        assert problems(version, content) == []
    assert "$" not in json.dumps(found)


def test_an_event_says_who_did_what_to_which_record_and_how_it_ended() -> None:
    event = shipped(**FACTS)["AuditEvent"]

    app, person = event["agent"]
    assert (app["who"]["identifier"]["value"], app["network"]["address"]) == ("app-9", "203.0.113.9")
    assert (person["who"]["reference"], person["altId"], person["requestor"]) == ("Practitioner/dr-green", "u-77", True)
    assert (event["subtype"][0]["code"], event["action"], event["outcome"]) == ("update", "U", "0")
    assert event["recorded"] == "2026-11-18T11:06:40.123+00:00"
    assert [entity["what"]["reference"] for entity in event["entity"]] == ["Observation/lab-a/_history/2"]


def test_a_write_leaves_a_provenance_of_the_version_that_it_made() -> None:
    provenance = shipped(**FACTS)["Provenance"]

    assert provenance["target"] == [{"reference": "Observation/lab-a/_history/2"}]
    assert provenance["activity"]["coding"][0]["code"] == "UPDATE"
    assert [agent["who"]["identifier"]["value"] for agent in provenance["agent"]] == ["u-77", "app-9"]
    assert provenance["entity"][0]["what"]["reference"] == "Observation/lab-a/_history/1"


@pytest.mark.parametrize(
    ("target", "patient", "named"),
    [
        ("Observation/lab-b", "amy", ["Patient/amy", "Patient/ben"]),
        ("Observation/never-was", "amy", ["Patient/amy"]),
        ("Patient/ben", "", ["Patient/ben"]),
    ],
)
def test_a_refusal_names_the_patient_whose_record_was_asked_for(target: str, patient: str, named: list[str]) -> None:
    event = shipped(**{**CASES["a refusal"], "target": target, "patient": patient})["AuditEvent"]

    people = [entity["what"]["reference"] for entity in event["entity"] if entity["role"]["code"] == "1"]
    assert people == named


@pytest.mark.parametrize(("case", "columns"), [("a refusal", ["fhir_version", "type", "resource_id"]), ("a write", [])])
def test_a_record_is_looked_for_by_its_index_and_only_where_none_was_shown(case: str, columns: list[str]) -> None:
    record([new_row(CASES[case]) for _ in range(2)])

    with CaptureQueriesContext(connection) as statements:
        ship()

    asked = [each["sql"] for each in statements if 'FROM "fhir_record"' in each["sql"]]
    assert [name for each in asked for name in columns if f'"fhir_record"."{name}" IN (' in each] == columns
    assert len(asked) == bool(columns)


def test_who_was_killed_between_storing_and_deleting_stores_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    record([new_row(FACTS)])
    row = WaitingEvent.objects.get()
    shipping._store(shipping._entries([row]))
    before = Entry.objects.count()

    assert ship() == 1

    assert Entry.objects.count() == before
    assert not WaitingEvent.objects.exists()


def test_everything_is_shipped_however_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "BATCH", 3)
    record([new_row(CASES["a refusal"]) for _ in range(7)])

    assert ship() == 7


def test_an_event_of_which_no_record_can_be_made_is_set_aside_and_the_others_go(
    caplog: pytest.LogCaptureFixture,
) -> None:
    good, bad = new_row(CASES["a refusal"]), new_row({**CASES["a refusal"], "version": "r9", "address": "203.0.113.66"})
    record([good, bad, new_row(CASES["a write"])])

    assert ship(NOW) == 2

    waits = WaitingEvent.objects.get()
    assert (waits.event_id, waits.failures, waits.ready_at) == (bad.event_id, 1, NOW + 3_600_000_000)
    assert [said.getMessage() for said in caplog.records if said.levelname == "ERROR"] == [
        f"the event {bad.event_id} is set aside: FileNotFoundError"
    ]
    assert ship(NOW) == 0
    WaitingEvent.objects.update(facts=good.facts)  # as a release that knows how
    assert ship(NOW + 3_600_000_000) == 1


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, ProgrammingError, InternalError])
def test_while_a_database_is_away_or_takes_nothing_no_event_is_set_aside(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    record([new_row(CASES["a refusal"])])
    monkeypatch.setattr(shipping, "_store", Mock(side_effect=error))

    with pytest.raises(error):
        ship(NOW)

    assert WaitingEvent.objects.get().failures == 0


@pytest.mark.parametrize("error", [IntegrityError, DataError])
def test_an_event_whose_values_the_database_refuses_is_set_aside(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    record([new_row(CASES["a refusal"])])
    monkeypatch.setattr(shipping, "_store", Mock(side_effect=error))

    assert ship(NOW) == 0

    assert WaitingEvent.objects.get().failures == 1


def test_a_page_of_many_records_is_shipped_however_many_they_are() -> None:
    (known,) = Record.objects.filter(resource_id="lab-a").values_list("pk", flat=True)
    shown = [[f"Observation/o-{number}/_history/1", 10**6 + number] for number in range(1000)]
    shown.append(["Observation/lab-a/_history/1", known])

    event = shipped(**{**FACTS, "interaction": "search-type", "is_written": False, "records": shown})["AuditEvent"]

    assert event["entity"][0]["what"]["reference"] == "Patient/amy"
    assert len(event["entity"]) == 1002


def test_the_worker_ships_on_schedule(settings: Settings) -> None:
    assert tasks.ship.name in {one["task"] for one in settings.CELERY_BEAT_SCHEDULE.values()}

    record([new_row(FACTS)])
    assert tasks.ship() == 1


def test_the_forms_ask_for_facts_that_there_are_in_every_version() -> None:
    assert all(set(load_version(one).audit_forms) == {"AuditEvent", "Provenance"} for one in ("dstu2", "stu3", "r4"))
