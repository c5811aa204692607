"""The checklist's fixture in the demo data of every version, line by line (resource-server.md, Fixture)."""

import json
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from pytest_django.fixtures import Settings

from fhir.models import Record
from fhir.store.loading import load_file
from fhir.urls import urlpatterns
from fhir.versions.version import load_version
from tests.checklist import MATRIX_REQUESTS, MATRIX_TOKENS, Expected, Rights
from tests.fhir.conftest import Answered, Introspection
from tests.running import ROOT

SERVED = ("dstu2", "stu3", "r4")
BASES = {version: f"http://127.0.0.1:8000/fhir/{version}" for version in SERVED}
CATEGORY = dict.fromkeys(SERVED, "http://hl7.org/fhir/observation-category")
CATEGORY["r4"] = "http://terminology.hl7.org/CodeSystem/observation-category"
EVERY_BASE = ModuleType("every_base")
EVERY_BASE.__dict__["urlpatterns"] = [path("fhir/", include(urlpatterns))]  # as they are before a test changes settings
ZOE, HUGO = "zoe-arceneaux", "hugo-fairweather"  # no other test asks about these two
ROUND = ("Group/flu-round", "Appointment/group-class")  # amy's and ben's
LABELLED = "Observation/confidential-counselling"
EVERYWHERE = ("", "_history", "Patient/amy/*", "Patient/amy/$everything", "Observation", "Observation/_history")

pytestmark = pytest.mark.parametrize("version", SERVED)


@pytest.fixture(scope="module", autouse=True)
def demo(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The demo records of all versions, loaded once; what a test changes is taken back by it."""
    with django_db_blocker.unblock(), transaction.atomic():
        Record.objects.all().delete()
        with override_settings(SMARTAUTH_FHIR_BASES=BASES):
            for version in SERVED:
                load_file(ROOT / f"demo/fhir/{version}.json")
        yield
        transaction.set_rollback(True)


class Caller:
    """Asks a base with a token of some scope and context."""

    def __init__(self, client: Client, introspection: Introspection, version: str) -> None:
        self.client, self.introspection, self.version = client, introspection, version
        self.knows("patient/*.rs", patient="amy")

    def knows(self, scope: str, **claims: Any) -> None:
        self.introspection.knows(scope, **{"aud": BASES[self.version], **claims})

    def __call__(self, url: str, method: str = "GET", body: Any = None, **headers: Any) -> Answered:
        data = b"" if body is None else json.dumps(body).encode()
        sent = (method, f"/fhir/{self.version}/{url}", data, load_version(self.version).media_types[0])
        with transaction.atomic():
            got = self.client.generic(*sent, HTTP_AUTHORIZATION="Bearer a.good-token", **headers)
            transaction.set_rollback(True)
        return Answered(got.status_code, got.headers, got.content.decode())

    def is_hidden(self, url: str, method: str = "GET", body: Any = None) -> bool:
        """Whether it is answered as an id that never was."""
        kind, _, rest = url.partition("/")
        unknown = f"{kind}/never-was" + "".join(f"/{part}" for part in rest.split("/")[1:])
        answer = self(url, method, body)
        return answer.status == 404 and answer.alike == self(unknown, method, body).alike


@pytest.fixture
def ask(browserless: Client, introspection: Introspection, settings: Settings, version: str) -> Caller:
    settings.SMARTAUTH_FHIR_BASES = BASES
    settings.ROOT_URLCONF = EVERY_BASE
    return Caller(browserless, introspection, version)


def canaries(answer: Answered) -> set[str]:
    assert answer.status == 200, answer.text
    return set(re.findall(r'"code": ?"canary-([a-z0-9-]+)"', answer.text))


def demo_record(version: str, name: str, id_: str) -> Any:
    newest = Record.objects.get(fhir_version=version, type=name, resource_id=id_, is_current=True)
    return json.loads(newest.content)


@pytest.mark.requirement("SD-25", "SR-13")
def test_no_canary_of_another_patient_is_in_any_answer(ask: Caller) -> None:
    types = load_version(ask.version).types
    for patient, others in (("amy", "ben"), ("ben", "amy")):
        ask.knows("patient/*.rs", patient=patient)
        searched, past = (
            [name for name, one in types.items() if kind in one.interactions]
            for kind in ("search-type", "history-type")
        )
        for url in (*EVERYWHERE, *searched, *(f"{name}/_history" for name in past)):
            found = canaries(ask(url.replace("Patient/amy", f"Patient/{patient}") + "?_count=200"))
            assert found <= {patient, "both"}, (url, found)
        assert canaries(ask(f"Patient/{patient}/$everything?_count=200")) == {patient, "both"}
        assert canaries(ask(f"Patient/{others}/*")) == set()


@pytest.mark.requirement("PC-08", "PC-09", "HI-07")
def test_what_two_patients_share_is_shown_to_both_with_the_references_to_the_other(ask: Caller) -> None:
    for patient, other in (("amy", "ben"), ("ben", "amy"), (ZOE, HUGO), (HUGO, ZOE)):
        ask.knows("patient/*.rs", patient=patient)
        for url in ROUND if patient in ("amy", "ben") else ["Observation/shared-peak-flow"]:
            assert f"Patient/{other}" in ask(url).text
        assert ask.is_hidden(f"Patient/{other}")
    for patient in (ZOE, HUGO):
        ask.knows("patient/*.rs", patient=patient)
        for url in ("Observation/shared-peak-flow", "Observation?_id=shared-peak-flow",
                     "Observation/shared-peak-flow/_history", f"Patient/{patient}/$everything?_count=200"):  # fmt: skip
            assert '"display": "Zoe Arceneaux"' in ask(url).text  # a name beside a reference is never taken out


@pytest.mark.requirement("PC-10", "SR-07")
def test_a_list_of_the_patient_opens_nothing_of_what_it_lists_of_another(ask: Caller) -> None:
    assert "Observation/ben-hba1c-1" in ask("List/amy-problems").text
    assert ask.is_hidden("Observation/ben-hba1c-1")
    for url in ("List?_include=List:item", "Appointment?_include=Appointment:actor", "Group?_include=Group:member"):
        answer = ask(url)
        assert answer.body["total"] == 1
        assert canaries(answer) <= {"amy", "both"}


@pytest.mark.requirement("PC-11")
def test_a_linked_patient_is_another_patient(ask: Caller) -> None:
    ask.knows("patient/*.rs", patient=ZOE)
    for url in ("Patient/zoe-elsewhere", "Observation/elsewhere-peak-flow"):
        assert ask.is_hidden(url)
    assert ask("Observation?patient=zoe-elsewhere").body["total"] == 0
    ask.knows("patient/*.rs", patient="zoe-elsewhere")
    assert canaries(ask("Patient/zoe-elsewhere/*")) == {"zoe-elsewhere"}
    assert ask.is_hidden(f"Patient/{ZOE}")


@pytest.mark.requirement("PC-13")
def test_tasks_and_devices_are_hidden_though_no_compartment_has_them(ask: Caller) -> None:
    for name, id_ in (("Task", "ben-callback"), ("Device", "ben-meter")):
        if name in load_version(ask.version).types:
            assert ask.is_hidden(f"{name}/{id_}")
            assert ask(name).body["total"] == ask(f"{name}?_id={id_}").body["total"] == 0


@pytest.mark.requirement("PC-14")
def test_a_binary_belongs_to_the_patient_that_its_security_context_names(ask: Caller) -> None:
    for url in ("DocumentReference/ben-letter", "Binary/ben-letter"):
        assert ask.is_hidden(url)
    assert "Binary/amy-letter" in ask("DocumentReference/amy-letter").text
    # DSTU2 has no such element: nothing says whose it is, and it is nobody's
    assert ask("Binary/amy-letter").status == (404 if ask.version == "dstu2" else 200)


@pytest.mark.requirement("PC-15")
def test_a_medication_is_shown_where_an_order_of_the_patient_refers_to_it(ask: Caller) -> None:
    assert ask("Medication/salbutamol").status == 200
    assert ask.is_hidden("Medication/metformin")
    assert ask.is_hidden("Medication/metformin/_history")
    assert ask("Medication").ids == ["salbutamol"]


@pytest.mark.requirement("PC-16")
def test_provenance_is_that_of_the_patient_that_its_target_names(ask: Caller) -> None:
    assert ask("Provenance/amy-hba1c-origin").status == 200
    assert ask.is_hidden("Provenance/ben-hba1c-origin")
    assert ask("Provenance?target=Observation/ben-hba1c-1").body["total"] == 0


@pytest.mark.requirement("PC-17")
def test_a_record_of_a_contained_patient_is_nobodys(ask: Caller) -> None:
    for patient in ("amy", ZOE, HUGO):
        ask.knows("patient/*.rs", patient=patient)
        assert ask.is_hidden("Observation/contained-peak-flow")


@pytest.mark.requirement("PC-22")
def test_scopes_of_a_patient_and_of_a_user_keep_their_own_rules(ask: Caller) -> None:
    own = f"{BASES[ask.version]}/Practitioner/dr-okafor"
    ask.knows("patient/Observation.rs user/Practitioner.rs", patient="amy", fhirUser=own, __patients=["ben"])

    assert canaries(ask("Observation?_count=200")) == {"amy"}
    assert ask.is_hidden("Observation/ben-hba1c-1")
    assert {one["resource"]["id"] for one in ask("Practitioner").body["entry"]} >= {"dr-okafor"}
    assert ask("Patient/ben").status == ask("Patient/amy").status == 403


@pytest.mark.requirement("GR-11", "GR-10")
def test_a_report_brings_only_results_that_a_scope_opens(ask: Caller) -> None:
    for category, comes in (("vital-signs", False), ("laboratory", True)):
        granular = f"patient/Observation.rs?category={CATEGORY[ask.version]}|{category}"
        ask.knows(f"patient/DiagnosticReport.rs {granular}", patient="amy")
        answer = ask("DiagnosticReport?_include=DiagnosticReport:result")
        assert answer.body["total"] == 1
        assert ("amy-hba1c-1" in answer.ids) is comes


@pytest.mark.requirement("HV-01", "HV-02", "HV-06")
def test_a_record_that_changed_hands_is_each_patients_as_far_as_it_was_theirs(ask: Caller) -> None:
    moved = "Observation/moved-peak-flow"
    ask.knows("patient/*.rs", patient=ZOE)
    assert ask.is_hidden(f"{moved}/_history/1")
    assert [ask(moved).status, ask(f"{moved}/_history/2").status] == [200, 200]
    assert (ask(f"{moved}/_history").body["total"], canaries(ask(f"{moved}/_history"))) == (1, {ZOE})
    ask.knows("patient/*.rs", patient=HUGO)
    assert ask.is_hidden(moved)
    assert canaries(ask(f"{moved}/_history/1")) == canaries(ask(f"{moved}/_history")) == {HUGO}


@pytest.mark.requirement("HV-03", "HV-04")
def test_of_a_deleted_record_hears_who_could_have_read_it(ask: Caller) -> None:
    gone = "Observation/mistaken-peak-flow"
    ask.knows("patient/*.rs", patient=ZOE)
    assert ask(gone).status == 410
    assert ask("Observation?_id=mistaken-peak-flow").body["total"] == 0
    assert [entry["request"]["method"] for entry in ask(f"{gone}/_history").body["entry"]] == ["DELETE", "POST"]
    ask.knows("patient/*.rs", patient=HUGO)
    assert ask.is_hidden(gone)
    assert ask.is_hidden(f"{gone}/_history")


@pytest.mark.requirement("HI-06", "WR-15", "SY-04")
def test_a_labelled_record_is_shown_with_no_token_and_no_write_lifts_the_label(ask: Caller) -> None:
    service = {"sub": "demo-backend", "client_id": "demo-backend"}
    content = demo_record(ask.version, "Observation", "confidential-counselling")
    bare = {**content, "meta": {"tag": content["meta"]["tag"]}}
    for scope, claims in (("patient/*.cruds", {"patient": ZOE}), ("system/*.cruds", service)):
        ask.knows(scope, **claims)
        for rest in ("", "/_history", "/_history/1"):
            assert ask.is_hidden(LABELLED + rest), (scope, rest)
        for url in EVERYWHERE:
            assert "label" not in canaries(ask(f"{url.replace('amy', ZOE)}?_count=200")), url
        assert ask("Observation?_id=confidential-counselling&_summary=count").body["total"] == 0
        never = {**bare, "id": "never-was"}
        assert ask(LABELLED, "PUT", bare).alike == ask("Observation/never-was", "PUT", never).alike
        assert ask.is_hidden(LABELLED, "DELETE")


@pytest.mark.requirement("WR-15")
def test_no_label_tag_or_header_of_a_client_opens_a_record(ask: Caller) -> None:
    ask.knows("patient/*.cruds", patient="amy")
    record = demo_record(ask.version, "Observation", "shared-peak-flow")
    record |= {"subject": {"reference": "Patient/ben"}, "performer": [{"reference": "Practitioner/dr-green"}]}
    label = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "U"}]
    record["meta"] = {"security": label, "tag": [{"system": "x", "code": "canary-amy"}]}
    told = json.dumps({"resourceType": "Provenance", "target": [{"reference": "Patient/amy"}]})

    assert ask("Observation", "POST", record, HTTP_X_PROVENANCE=told).status == 403
    own = demo_record(ask.version, "Observation", "amy-weight-1")
    moved = {**own, "meta": record["meta"], "subject": {"reference": "Patient/ben"}}
    assert ask("Observation/amy-weight-1", "PUT", moved, HTTP_X_PROVENANCE=told).status == 403


@pytest.mark.requirement("GR-14")
def test_a_granular_scope_to_write_holds_for_what_is_stored_and_for_what_would_be(ask: Caller) -> None:
    ask.knows(f"patient/Observation.cu?category={CATEGORY[ask.version]}|laboratory", patient="amy")
    blood, weight = (demo_record(ask.version, "Observation", id_) for id_ in ("amy-hba1c-1", "amy-weight-1"))

    assert ask("Observation", "POST", blood).status == 201
    assert ask("Observation", "POST", weight).status == 403
    assert ask("Observation/amy-hba1c-1", "PUT", blood).status == 200
    assert ask("Observation/amy-hba1c-1", "PUT", {**blood, "category": weight["category"]}).status == 403
    relabelled = {**weight, "category": blood["category"]}
    never = ask("Observation/never-was", "PUT", {**relabelled, "id": "never-was"})
    assert ask("Observation/amy-weight-1", "PUT", relabelled).alike == never.alike


@pytest.mark.requirement("HI-06")
def test_a_label_of_today_covers_what_was_said_before_it(ask: Caller) -> None:
    with transaction.atomic():
        Record.objects.filter(fhir_version=ask.version, resource_id="moved-peak-flow", number=2).update(
            is_restricted=True
        )
        ask.knows("patient/*.rs", patient=HUGO)
        found = [ask.is_hidden(f"Observation/moved-peak-flow{rest}") for rest in ("", "/_history", "/_history/1")]
        history = ask("_history?_count=200").text
        transaction.set_rollback(True)
    assert found == [True] * 3
    assert "moved-peak-flow" not in history


def sent(ask: Caller, line: str) -> Answered:
    """A line of the matrix; what is written is a record of amy as it stands here, or one of nobody."""
    method, _, url = line.partition(" ")
    if method not in ("PUT", "POST"):
        return ask(url, method)
    record = demo_record(ask.version, "Observation", "amy-weight-1")
    return ask(url, method, {**record, "id": url.partition("/")[2] or "new"})


def is_as_expected(ask: Caller, rights: Rights, expected: Expected) -> bool:
    """401 and 403 before anything else; a record out of reach like one that never was; of a search what is in reach."""
    letters = rights.observations if expected.type == "Observation" else rights.others
    answer = sent(ask, expected.line)
    if not set(expected.letters) <= set(letters):
        return answer.status == 403 and (not expected.never or answer.alike == sent(ask, expected.never).alike)
    if not expected.of:
        found = canaries(answer)
        return "label" not in found and (found <= {*rights.patients, "both"} or rights.scope.startswith("system/"))
    if expected.of in rights.patients:
        return answer.status in (200, 201, 204)
    return answer.status == 404 and answer.alike == sent(ask, expected.never).alike


@pytest.mark.requirement("IX-01", "IX-02", "IX-03", "IX-04", "IX-05", "IX-08", "IX-09", "IX-10", "IX-11", "IX-20")
@pytest.mark.requirement("PC-01", "PC-02", "PC-03", "SR-03", "FO-01", "FO-02", "HI-01", "US-01", "SY-02", "V1-01")
def test_each_token_of_the_checklist_gets_what_its_row_says(ask: Caller) -> None:
    for name, rights in MATRIX_TOKENS.items():
        claims = dict(rights.claims)
        if "fhirUser" in claims:
            claims["fhirUser"] = f"{BASES[ask.version]}/{claims['fhirUser']}"
        ask.knows(rights.scope, **claims)
        for expected in MATRIX_REQUESTS:
            assert is_as_expected(ask, rights, expected), (name, expected)


OPERATORS = {"sub": "bulk", "client_id": "bulk"}
ANYBODY = (
    ("patient/*.cruds", {"patient": "amy"}),
    ("user/*.cruds", {"fhirUser": "Practitioner/dr-green", "__patients": ["amy", "ben"]}),
    ("system/*.cruds", OPERATORS),
    ("system/*.rs system/Group.rs", OPERATORS),
)
EXPORTS = ("$export", "Patient/$export", "Patient/amy/$export", "Group/$export", "Group/flu-round/$export")
JOBS = ("$export-poll-status?_jobId=1", "$bulk-status/1", "bulk/1", "bulk/1/Patient.ndjson")


@pytest.mark.requirement("BX-07", "BX-09", "BX-10")
def test_no_export_begins_that_could_outlive_an_access_or_be_fetched_without_a_token(ask: Caller, version: str) -> None:
    starts = [(method, url) for method in ("GET", "POST") for url in EXPORTS]
    about_jobs = [(method, url) for method in ("GET", "DELETE") for url in JOBS]
    for scope, claims in ANYBODY:
        ask.knows(scope, **claims)
        for method, url in [*starts, *about_jobs]:
            with CaptureQueriesContext(connection) as statements:
                answer = ask(url, method, HTTP_PREFER="respond-async")
            assert (answer.status, answer.body["resourceType"]) == (404, "OperationOutcome"), (scope, method, url)
            assert not {"Content-Location", "Location", "Retry-After"} & set(answer.headers)
            stored = [
                one["sql"] for one in statements if not one["sql"].startswith(("SAVEPOINT", "ROLLBACK", "RELEASE"))
            ]
            assert [sql.partition("(")[0].split()[:3] for sql in stored] == [
                ["INSERT", "INTO", "fhir_audit_waitingevent"]
            ]

        entries = [{"request": {"method": method, "url": url}} for method, url in starts]
        batch = ask("", "POST", {"resourceType": "Bundle", "type": "batch", "entry": entries})
        for one in batch.body["entry"]:  # none of the interactions of a batch, or of a type that is not there
            assert one["response"].keys() == {"status", "outcome"}
            assert one["response"]["status"] in ("400", "404")
        for one in entries:
            alone = ask("", "POST", {"resourceType": "Bundle", "type": "transaction", "entry": [one]})
            assert (alone.status in (400, 404), alone.body["resourceType"]) == (True, "OperationOutcome")

    for method, url in [*starts, *about_jobs]:
        assert ask.client.generic(method, f"/fhir/{version}/{url}").status_code == 401
    assert "export" not in ask("metadata").text
