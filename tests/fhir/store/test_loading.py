"""The demo records, and loading them."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from fhir.models import Membership, Record
from fhir.store.loading import load_file
from tests.fhir.conftest import Introspection
from tests.fixture_types import Fetch

DEMO = Path(__file__).parents[3] / "demo" / "fhir" / "r4.json"


@pytest.fixture
def demo(db: None) -> None:
    Record.objects.all().delete()
    call_command("load_fhir", DEMO, verbosity=0)


@pytest.mark.usefixtures("demo")
def test_loading_again_changes_nothing() -> None:
    before = [list(Record.objects.order_by("pk").values()), set(Membership.objects.values_list("record", "patient"))]

    call_command("load_fhir", DEMO, verbosity=0)

    assert [
        list(Record.objects.order_by("pk").values()),
        set(Membership.objects.values_list("record", "patient")),
    ] == before


def test_a_record_that_changes_hands_leaves_the_old_compartment(records: None, tmp_path: Path) -> None:
    moved = json.loads(Record.objects.get(resource_id="lab-a").content)
    moved["subject"] = {"reference": "Patient/ben"}
    (tmp_path / "r4.json").write_text(json.dumps([moved]))

    load_file(tmp_path / "r4.json")

    record = Record.objects.get(resource_id="lab-a")
    assert list(record.memberships.values_list("patient__resource_id", flat=True)) == ["ben"]
    assert Record.objects.filter(resource_id="vital-a").in_compartments_of(["amy"]).exists()


@pytest.mark.usefixtures("demo")
def test_every_patient_of_the_demo_is_dr_greens() -> None:
    patients = [json.loads(record.content) for record in Record.objects.filter(type="Patient")]

    assert len(patients) == 41
    assert {"amy", "ben", "dan"} <= {patient["id"] for patient in patients}
    assert {patient["generalPractitioner"][0]["reference"] for patient in patients} == {"Practitioner/dr-green"}


@pytest.mark.usefixtures("demo")
def test_every_record_of_the_demo_but_practitioners_lies_in_one_compartment() -> None:
    for record in Record.objects.exclude(type="Practitioner"):
        assert record.memberships.count() == 1, record


@pytest.mark.requirement("SD-25")
@pytest.mark.usefixtures("demo")
def test_the_demo_people_find_themselves_and_not_each_other(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("patient/*.rs", patient="dan")
    assert [fetch(path).status for path in ("Patient/dan", "RelatedPerson/carol", "Practitioner/dr-green")] == [200] * 3
    assert [fetch(path).status for path in ("Patient/amy", "Practitioner/dr-okafor")] == [404] * 2
    assert fetch("Patient/dan").body["birthDate"] == "2017-05-04"
    assert len(fetch("Observation?category=vital-signs").ids) == 9

    introspection.knows("patient/*.rs", patient="amy")
    assert [fetch(path).status for path in ("Patient/amy", "RelatedPerson/carol")] == [200, 404]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        '[{"resourceType": "Patient"}]',
        '[{"resourceType": "Patience", "id": "x"}]',
        '[{"resourceType": "Patient", "id": "a/b"}]',
        '[{"resourceType": "Patient", "id": "x"}',
    ],
)
def test_a_file_that_is_no_such_array_loads_nothing(records: None, tmp_path: Path, text: str) -> None:
    (tmp_path / "r4.json").write_text(text)
    before = Record.objects.count()

    with pytest.raises(CommandError):
        call_command("load_fhir", tmp_path / "r4.json")

    assert Record.objects.count() == before


def test_a_file_of_an_unknown_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r9.json").write_text("[]")

    with pytest.raises(CommandError):
        call_command("load_fhir", tmp_path / "r9.json")
