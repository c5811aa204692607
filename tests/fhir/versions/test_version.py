"""Several FHIR versions beside each other, each as its data says."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.test import Client
from django.urls import clear_url_caches
from pytest_django.fixtures import Settings

from fhir import urls
from fhir.models import Record
from fhir.store.loading import load_file
from fhir.validation.problems import problems
from fhir.versions import version as versions
from smart.fhir.definitions import definitions
from tests.checklist import requests
from tests.fhir.conftest import Introspection
from tests.running import ROOT

SERVER = "http://127.0.0.1:8000"
SERVED = ("dstu2", "stu3", "r4")
AMY = "patient/*.rs"
# the resources that the demo shows, by the names that versions have for them
TYPES = {
    *("Patient", "Practitioner", "Organization", "Location", "RelatedPerson", "Encounter", "Observation", "Condition"),
    *("AllergyIntolerance", "Medication", "Procedure", "Immunization", "DiagnosticReport", "DocumentReference"),
    *("Binary", "CarePlan", "Goal", "Coverage", "Provenance", "Group", "List", "Appointment"),
}
NAMED = {
    "dstu2": {"MedicationOrder"},
    "stu3": {"MedicationRequest", "PractitionerRole", "Task"},
    "r4": {"MedicationRequest", "PractitionerRole", "Task"},
}


@pytest.fixture(autouse=True)
def bases(settings: Settings) -> None:
    settings.SMARTAUTH_FHIR_BASES = {version: f"{SERVER}/fhir/{version}" for version in (*SERVED, "r5")}


def demo(version: str) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads((ROOT / f"demo/fhir/{version}.json").read_text(encoding="utf-8"))
    return [one for one in content if one["resourceType"] != "Bundle"]  # resources with a past: test_fixture.py


def get(client: Client, path: str) -> Any:
    return client.get(f"/fhir/{path}", HTTP_AUTHORIZATION="Bearer a.good-token")


@pytest.mark.requirement("SD-12", "SD-13", "SD-15")
@pytest.mark.parametrize(
    ("version", "name", "number", "media_type"),
    [
        ("dstu2", "Conformance", "1.0.2", "application/json+fhir"),
        ("stu3", "CapabilityStatement", "3.0.2", "application/fhir+json"),
        ("r4", "CapabilityStatement", "4.0.1", "application/fhir+json"),
    ],
)
def test_each_base_states_itself_in_its_own_words(
    browserless: Client, version: str, name: str, number: str, media_type: str
) -> None:
    answer = browserless.get(f"/fhir/{version}/metadata")
    statement = json.loads(answer.content)
    kinds = {kind["code"] for row in statement["rest"][0]["resource"] for kind in row["interaction"]}

    assert (statement["resourceType"], statement["fhirVersion"]) == (name, number)
    assert answer.headers["Content-Type"] == f"{media_type}; charset=utf-8"
    assert problems(version, statement) == []
    assert {row["type"] for row in statement["rest"][0]["resource"]} >= TYPES | NAMED[version]
    assert ("patch" in kinds) is (version != "dstu2")


@pytest.mark.requirement("SD-28")
@pytest.mark.parametrize(
    ("version", "accept", "status"),
    [
        ("dstu2", "application/json+fhir; fhirVersion=1.0", 200),
        ("dstu2", "application/fhir+json; fhirVersion=4.0", 406),
        ("stu3", "application/fhir+json; fhirVersion=3.0", 200),
        ("stu3", "application/fhir+json; fhirVersion=1.0", 406),
        ("dstu2", "application/xml+fhir", 406),
        ("stu3", "application/fhir+xml", 406),
        ("r4", "application/fhir+xml", 406),
    ],
)
def test_a_base_answers_in_its_version_and_in_json_only(
    browserless: Client, version: str, accept: str, status: int
) -> None:
    assert browserless.get(f"/fhir/{version}/metadata", HTTP_ACCEPT=accept).status_code == status
    assert browserless.get(f"/fhir/{version}/metadata?_format=xml").status_code == 406


@pytest.mark.requirement("TV-08", "SD-15")
@pytest.mark.parametrize("version", ["dstu2", "stu3"])
def test_a_token_for_one_version_is_none_for_another(
    browserless: Client, introspection: Introspection, version: str
) -> None:
    introspection.knows(AMY, patient="amy")
    assert get(browserless, f"{version}/Patient/amy").status_code == 401


@pytest.mark.parametrize("version", SERVED)
def test_the_demo_has_every_type_and_is_valid(version: str) -> None:
    records = demo(version)

    assert [found for record in records if (found := problems(version, record))] == []
    assert {record["resourceType"] for record in records} >= TYPES | NAMED[version]


@pytest.fixture
def records(db: None, request: pytest.FixtureRequest) -> str:
    version: str = request.getfixturevalue("version")
    Record.objects.all().delete()
    load_file(ROOT / f"demo/fhir/{version}.json")
    return version


@pytest.mark.requirement("SD-15", "PC-17")
@pytest.mark.usefixtures("records")
@pytest.mark.parametrize("version", SERVED)
def test_a_patients_app_finds_its_patient_and_no_other_in_every_type(
    browserless: Client, introspection: Introspection, version: str
) -> None:
    introspection.knows(AMY, patient="amy", aud=f"{SERVER}/fhir/{version}")
    own = {name for name, one in definitions(version).items() if one.compartment.itself or one.compartment.paths}

    for name in sorted((TYPES | NAMED[version]) & own):
        answer = get(browserless, f"{version}/{name}?_count=100")
        ids = [entry["resource"]["id"] for entry in json.loads(answer.content).get("entry", [])]
        assert answer.status_code == 200, name
        assert ids or name == "RelatedPerson", name
        assert not [id_ for id_ in ids if id_.startswith("ben") or ("-visit-" in id_ and not id_.startswith("amy"))], (
            name
        )


@pytest.mark.requirement("SD-08")
@pytest.mark.django_db
def test_what_is_stored_in_one_version_is_never_shown_in_another(
    browserless: Client, introspection: Introspection, tmp_path: Path
) -> None:
    Record.objects.all().delete()
    (tmp_path / "r4.json").write_text('[{"resourceType": "Patient", "id": "amy"}]', encoding="utf-8")
    load_file(tmp_path / "r4.json")

    introspection.knows(AMY, patient="amy", aud=f"{SERVER}/fhir/r4")
    assert get(browserless, "r4/Patient/amy").status_code == 200
    introspection.knows(AMY, patient="amy", aud=f"{SERVER}/fhir/stu3")
    assert get(browserless, "stu3/Patient/amy").status_code == 404
    assert "entry" not in json.loads(get(browserless, "stu3/Patient?_id=amy").content)


@pytest.mark.requirement("SD-18", "SD-25")
@pytest.mark.usefixtures("records")
@pytest.mark.parametrize("version", ["dstu2", "stu3"])
def test_no_request_of_the_checklist_shows_another_patient(
    browserless: Client, introspection: Introspection, version: str
) -> None:
    of_ben = re.compile("Whitlock|Lighthouse|555 0117|Metformin|Bee venom")
    asked = requests(own="amy-weight-1", hidden="ben-weight-1", problem="amy-asthma")
    reading = [one for one in asked if one.method in ("GET", "POST") and not of_ben.search(one.url + one.form)]
    form = "application/x-www-form-urlencoded"

    for scope in (AMY, "patient/*.cruds", "openid fhirUser"):
        introspection.knows(scope, patient="amy", aud=f"{SERVER}/fhir/{version}")
        for one in reading:
            sent = (one.method, f"/fhir/{version}/{one.url}", one.form, form)
            answer = browserless.generic(*sent, HTTP_AUTHORIZATION="Bearer a.good-token")
            assert answer.status_code < 500, one
            assert not of_ben.search(answer.content.decode()), one


@pytest.fixture
def r5_alone(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of versions in which there is one file, and the server that is made of it."""
    written = json.loads((versions.FOLDER / "r4.json").read_text(encoding="utf-8"))
    types = {"Patient": {"search": ["_id", "name"]}, "Observation": {"search": ["_id", "patient", "code"]}}
    written |= {"fhirVersion": "5.0.0", "types": types}
    (tmp_path / "r5.json").write_text(json.dumps(written), encoding="utf-8")
    monkeypatch.setattr(versions, "FOLDER", tmp_path)
    versions.load_version.cache_clear()
    module = ModuleType("only_r5")
    module.__dict__["urlpatterns"] = list(urls.url_patterns("r5"))
    settings.ROOT_URLCONF = module
    clear_url_caches()
    yield tmp_path
    versions.load_version.cache_clear()
    clear_url_caches()


@pytest.mark.django_db
@pytest.mark.requirement("SD-15")
def test_another_version_is_one_more_file(
    browserless: Client, introspection: Introspection, r5_alone: Path, tmp_path: Path
) -> None:
    """R5 is known, with schemas and search parameters: to serve it takes the file here and a base in the settings."""
    touched = [file.name for file in r5_alone.iterdir()]
    resources = [
        {"resourceType": "Patient", "id": "amy"},
        {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"},
         "subject": {"reference": "Patient/amy"}},
    ]  # fmt: skip
    (tmp_path / "records").mkdir()
    (tmp_path / "records/r5.json").write_text(json.dumps(resources), encoding="utf-8")
    introspection.knows(AMY, patient="amy", aud=f"{SERVER}/fhir/r5")

    load_file(tmp_path / "records/r5.json")
    read = browserless.get("/r5/Observation/o", HTTP_AUTHORIZATION="Bearer a.good-token")

    assert touched == ["r5.json"]
    assert (read.status_code, json.loads(read.content)["id"]) == (200, "o")
    assert json.loads(browserless.get("/r5/metadata").content)["fhirVersion"] == "5.0.0"
