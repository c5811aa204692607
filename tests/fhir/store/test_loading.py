"""The demo records, and loading them."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from fhir.models import Membership, Record
from fhir.store.loading import UnreadableResources, load_file
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

    first, second = Record.objects.filter(resource_id="lab-a").order_by("number")
    assert [list(one.memberships.values_list("patient", flat=True)) for one in (first, second)] == [["amy"], ["ben"]]
    assert [one.is_current for one in (first, second)] == [False, True]


@pytest.mark.usefixtures("demo")
def test_every_patient_of_the_demo_is_dr_greens() -> None:
    patients = [json.loads(record.content) for record in Record.objects.filter(type="Patient")]

    assert len(patients) == 42
    assert {"amy", "ben", "dan"} <= {patient["id"] for patient in patients}
    assert {patient["generalPractitioner"][0]["reference"] for patient in patients} == {"Practitioner/dr-green"}


@pytest.mark.usefixtures("demo")
def test_every_record_of_the_demo_lies_in_the_compartments_that_it_names() -> None:
    of_two, of_nobody = {"Group", "Appointment"}, {"Practitioner", "PractitionerRole", "Organization", "Location"}
    of_nobody |= {"Medication", "Device", "Task"}  # in R4's compartment lie neither devices nor tasks
    exceptions = {"shared-peak-flow": 2, "contained-peak-flow": 0}
    for record in Record.objects.all():
        expected = 2 if record.type in of_two else 0 if record.type in of_nobody else 1
        expected = exceptions.get(record.resource_id, expected)
        assert record.memberships.count() == expected, record


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "not JSON", id="empty"),
        pytest.param("{", "not JSON", id="no JSON"),
        pytest.param('{"resourceType": "Bundle"}', "not a JSON array of resources", id="a Bundle"),
        pytest.param("7", "not a JSON array of resources", id="a number"),
        pytest.param("[" * 20_000, "nested too deeply", id="deep"),
        pytest.param("[7]", "item 0: not a JSON object", id="no object"),
        pytest.param("[null]", "item 0: not a JSON object", id="null"),
        pytest.param('[{"resourceType": "Patient"}]', "item 0 (Patient/None): it needs an id", id="no id"),
        pytest.param('[{"resourceType": "Patient", "id": 7}]', "item 0 (Patient/7): it needs an id", id="id no text"),
        pytest.param('[{"resourceType": "Patient", "id": "a b"}]', "item 0 (Patient/a b): it needs an id", id="blank"),
        pytest.param('[{"id": "a"}]', "item 0 (None/a): not a resource that r4 serves", id="no type"),
        pytest.param('[{"resourceType": ["Patient"], "id": "a"}]', "not a resource that r4", id="a list of types"),
        pytest.param('[{"resourceType": "Patent", "id": "a"}]', "item 0 (Patent/a): not a resource", id="misspelled"),
        pytest.param('[{"resourceType": "Patient", "id": "a", "x": NaN}]', "not JSON: NaN is no JSON", id="NaN"),
        pytest.param('[{"resourceType": "Patient", "id": "a", "x": -Infinity}]', "is no JSON", id="Infinity"),
        pytest.param('[{"resourceType": "Patient", "id": "a", "id": "b"}]', "a member stands twice", id="member twice"),
        pytest.param('[{"resourceType": "Patient", "id": "a"}, {"resourceType": "Patient", "id": "a"}]',
                     "Patient/a: stands there more than once", id="resource twice"),
        pytest.param('[{"resourceType": "Patient", "id": "a", "gender": "\\ud800"}]', "half a character", id="half"),
        pytest.param('[{"resourceType": "Observation", "id": "a"}', "not JSON", id="unfinished"),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_a_file_that_cannot_be_loaded_is_told_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "r4.json"
    file.write_text(text, encoding="utf-8")
    before = Record.objects.count()

    with pytest.raises(CommandError) as refused:
        call_command("load_fhir", file)

    assert str(refused.value).startswith(str(file))
    assert said in str(refused.value)
    assert Record.objects.count() == before


@pytest.mark.parametrize("name", ["r5.json", "patients.json", "R4.json", ".json", "version.json", "__init__.json"])
@pytest.mark.django_db
def test_a_file_that_is_named_after_no_version_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("[]", encoding="utf-8")

    with pytest.raises(CommandError, match=r"a file is named after its FHIR version, such as r4\.json"):
        call_command("load_fhir", tmp_path / name)


@pytest.mark.django_db
def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("load_fhir", tmp_path / "r4.json")


@pytest.mark.parametrize("member", ["text", 7, None, [], [[]], {"reference": 7}, {"reference": ["Patient/a"]}], ids=str)
@pytest.mark.django_db
def test_a_member_of_another_shape_is_refused(tmp_path: Path, member: object) -> None:
    odd: dict[str, object] = {"resourceType": "Observation", "id": "odd-o", "status": "final", "code": {"text": "odd"}}
    odd |= {"subject": member, "performer": member}
    file = tmp_path / "r4.json"
    file.write_text(json.dumps([{"resourceType": "Patient", "id": "odd-p"}, odd]), encoding="utf-8")

    with pytest.raises(CommandError, match=r"item 1 \(Observation/odd-o\): Observation\.(subject|performer)"):
        call_command("load_fhir", file, verbosity=0)

    assert not Record.objects.filter(resource_id__startswith="odd-").exists()


@pytest.mark.postgresql
@pytest.mark.django_db
def test_what_was_loaded_is_counted_at_once_so_that_searches_are_planned_for_it(tmp_path: Path) -> None:
    patients = [{"resourceType": "Patient", "id": f"loaded-{number}"} for number in range(50)]
    (tmp_path / "r4.json").write_text(json.dumps(patients), encoding="utf-8")

    load_file(tmp_path / "r4.json")

    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'fhir_record'")
        assert cursor.fetchone()[0] >= 50


@pytest.mark.django_db
def test_a_history_is_loaded_version_by_version_and_left_alone_where_the_resource_is_known(tmp_path: Path) -> None:
    Record.objects.all().delete()

    def write(*entries: str) -> None:
        bundle = f'{{"resourceType": "Bundle", "type": "history", "entry": [{", ".join(entries)}]}}'
        (tmp_path / "r4.json").write_text(f"[{bundle}]", encoding="utf-8")

    def resource(**members: str) -> str:
        return json.dumps({"resource": {"resourceType": "Patient", "id": "p", **members}})

    write('{"request": {"method": "DELETE", "url": "Patient/p"}}', resource(gender="male"), resource(gender="female"))
    assert (load_file(tmp_path / "r4.json"), load_file(tmp_path / "r4.json")) == (1, 1)
    stored = [(one.number, one.is_current, one.is_deleted, json.loads(one.content)["gender"])
              for one in Record.objects.order_by("number")]  # fmt: skip
    assert stored == [(1, False, False, "female"), (2, False, False, "male"), (3, True, True, "male")]
    for bad in ((), (resource(id="q"), resource()), (resource(gender="x"), resource()), ("{}",), ("{}", "{}")):
        write(*bad)
        with pytest.raises(UnreadableResources):
            load_file(tmp_path / "r4.json")
