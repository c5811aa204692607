"""A view as a condition of the database: each part of it, against a record that only this part keeps out."""

import json
from datetime import UTC, datetime

import pytest

from fhir.models import Record
from fhir.search.conditions import condition
from fhir.store.versions import add_versions, first_version, successor
from fhir.store.visibility import unrestricted_now, visible, visible_of_types
from fhir.versions.version import load_version
from smart.decisions.subject import read_subject
from smart.decisions.view import Alternative, Compartments, Everybody, OwnRecord, Reach, Who
from smart.fhir.definitions import definitions
from smart.search.criteria import criterion
from tests.fhir.conftest import BASE

pytestmark = pytest.mark.usefixtures("records")
R4 = load_version("r4")
THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AMY, BEN = (Compartments(frozenset({name})) for name in ("amy", "ben"))


def seen(name: str, *who: Who) -> set[str]:
    """The ids of what a view of these opens, of all versions that are stored."""
    found = visible(Record.objects.filter(type=name), R4, name, tuple(map(Alternative, who)))
    return set(found.values_list("resource_id", flat=True))


def stored(name: str, id_: str, fhir_version: str = "r4", **members: object) -> Record:
    text = json.dumps({"resourceType": name, "id": id_, **members})
    record = first_version(fhir_version, name, id_, text, THEN)
    assert add_versions([record])
    return record


def replaced(record: Record, *, is_deleted: bool = False, **members: object) -> None:
    text = json.dumps({**json.loads(record.content), **members})
    assert add_versions([successor(record, text, THEN, is_deleted=is_deleted)], [record])


def about_amy(id_: str, performer: str, fhir_version: str = "r4") -> Record:
    subject, performers = {"reference": "Patient/amy"}, [{"reference": performer}]
    return stored("Observation", id_, fhir_version, subject=subject, performer=performers)


@pytest.mark.requirement("SCP-05")
def test_alternatives_add_up_and_none_open_nothing() -> None:
    assert seen("Patient") == seen("Account", AMY) == set()
    assert seen("Patient", AMY) == {"amy"}
    assert seen("Patient", AMY, BEN) == {"amy", "ben"}
    assert seen("Patient", AMY, OwnRecord("Patient", "ben")) == {"amy", "ben"}
    assert seen("Patient", Everybody()) == seen("Patient", AMY, Everybody()) == {"amy", "ben", "amy-linked"}


def test_ten_thousand_patients_are_one_value_of_a_statement_and_criteria_repeat_no_list() -> None:
    """PostgreSQL takes 65,535 values."""
    many = tuple(f"patient-{number}" for number in range(10_000))
    wanted = [criterion(definitions("r4")["Observation"], "code", ["c7"], BASE)] * 6

    def values(*patients: str) -> int:
        view = (Alternative(Compartments(frozenset(patients))),)
        _, given = visible(Record.objects.all(), R4, "Observation", view, wanted).query.sql_with_params()
        return len(given)

    assert values("amy", *many) == values("amy", "ben") < 200
    assert seen("Patient", Compartments(frozenset({"amy", *many}))) == {"amy"}


@pytest.mark.requirement("PC-19")
def test_a_compartment_is_open_while_its_patient_is_here_under_that_id_type_and_version() -> None:
    before, amy = seen("Observation", AMY), Record.objects.get(type="Patient", resource_id="amy")
    assert "lab-a" in before

    replaced(amy, is_deleted=True)
    stored("Practitioner", "amy")
    stored("Patient", "amy", "stu3")

    assert seen("Observation", AMY) == seen("Practitioner", AMY) == set()


def test_what_the_patients_records_refer_to_is_open_while_they_do() -> None:
    assert seen("Practitioner", AMY) == {"dr-green"}

    left, gone = (about_amy(id_, "Practitioner/dr-okafor") for id_ in ("left", "gone"))
    assert seen("Practitioner", AMY) == {"dr-green", "dr-okafor"}
    replaced(left, performer=[{"reference": "Organization/dr-okafor"}])
    replaced(gone, is_deleted=True)
    about_amy("elsewhere", "Practitioner/dr-okafor", "stu3")
    about_amy("labelled", "Practitioner/dr-okafor")
    Record.objects.filter(resource_id="labelled").update(is_restricted=True)

    assert seen("Practitioner", AMY) == {"dr-green"}
    assert seen("Observation", AMY) >= {"left", "gone"}


@pytest.mark.requirement("SCP-05")
@pytest.mark.parametrize(
    "views",
    [
        {},
        {"Patient": (Everybody(),)},
        {"Patient": (AMY,), "Observation": (AMY,), "Practitioner": (AMY,)},
        {"Patient": (OwnRecord("Patient", "ben"), AMY), "Observation": (AMY, BEN)},
        {"Practitioner": (OwnRecord("Practitioner", "dr-okafor"), AMY), "Encounter": (BEN,), "Observation": ()},
    ],
)
def test_of_several_types_each_is_open_as_it_would_be_alone(views: dict[str, tuple[Who, ...]]) -> None:
    opened = {name: tuple(map(Alternative, who)) for name, who in views.items()}

    found = visible_of_types(Record.objects.all(), R4, opened).values_list("type", "resource_id")

    assert set(found) == {(name, id_) for name, who in views.items() for id_ in seen(name, *who)}
    assert not views or found


@pytest.mark.requirement("SCP-05")
def test_one_criterion_for_two_types_is_asked_of_each_by_its_own_parameter() -> None:
    laboratory = [{"coding": [{"code": "laboratory"}]}]
    stored("Condition", "of-the-lab", subject={"reference": "Patient/amy"}, category=laboratory)
    scope = " ".join(f"patient/{name}.rs?category=laboratory" for name in ("Observation", "Condition"))
    claims = {"active": True, "aud": BASE, "exp": 2_000_000_000, "scope": scope, "patient": "amy"}
    reach = Reach(read_subject(claims, BASE, 0), "r4", BASE)

    found = visible_of_types(
        Record.objects.all(), R4, {name: reach.view(name, "s") for name in ("Observation", "Condition")}
    )

    assert set(found.values_list("resource_id", flat=True)) == {"lab-a", "both-a", "other-system-a", "of-the-lab"}


@pytest.mark.parametrize(
    ("who", "ids"),
    [
        (Compartments(frozenset({"amy", "ben"})), {"lab-a", "lab-b"}),
        (AMY, {"lab-a"}),
        (Everybody(), {"lab-a", "lab-b"}),
        (OwnRecord("Observation", "lab-a"), {"lab-a"}),
    ],
)
def test_criteria_beside_a_view_find_what_they_find_after_it(who: Who, ids: set[str]) -> None:
    every, view = Record.objects.filter(type="Observation"), (Alternative(who),)
    for name, value in (("category", "laboratory"), ("category:not", "laboratory"), ("code:missing", "true")):
        wanted = criterion(definitions("r4")["Observation"], name, [value], BASE)

        found = visible(every, R4, "Observation", view, [wanted])

        after = visible(every, R4, "Observation", view).filter(condition(wanted, "r4/Observation"))
        assert set(found) == set(after)
        assert name != "category" or {one.resource_id for one in found} & {"lab-a", "lab-b", "vital-a"} == ids


def test_a_label_of_the_present_version_covers_the_former_ones_and_no_other_resource() -> None:
    covered, lifted = (about_amy(id_, "Practitioner/dr-green") for id_ in ("covered", "lifted"))
    Record.objects.filter(pk=lifted.pk).update(is_restricted=True)
    for record in (covered, lifted):
        replaced(record, status="amended")
    Record.objects.filter(resource_id="covered", is_current=True).update(is_restricted=True)
    stored("Condition", "covered")
    about_amy("covered", "Practitioner/dr-green", "stu3")

    found = unrestricted_now(Record.objects.filter(resource_id__in=["covered", "lifted"]))

    assert set(found.values_list("fhir_version", "type", "resource_id", "number")) == {
        ("r4", "Condition", "covered", 1),
        ("stu3", "Observation", "covered", 1),
        ("r4", "Observation", "lifted", 1),
        ("r4", "Observation", "lifted", 2),
    }


def test_what_is_open_to_everybody_is_one_condition_for_all_types() -> None:
    views = {name: (Alternative(Everybody()),) for name in R4.types}
    open_to_all = visible_of_types(Record.objects.all(), R4, views)

    assert "UNION" not in str(open_to_all.query)
    assert set(open_to_all) == set(Record.objects.filter(is_restricted=False, type__in=R4.types))
    narrowed = {**views, "Medication": (Alternative(AMY),)}
    assert not {"Medication"} & {record.type for record in visible_of_types(Record.objects.all(), R4, narrowed)}
