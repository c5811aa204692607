"""Answers of several types, of a compartment and of the whole system: each record by the scopes of its own type."""

import json
from typing import Any

import pytest

from fhir.models import Record
from tests.fhir.conftest import BASE, Answered, Introspection
from tests.fixture_types import Fetch, Search

pytestmark = pytest.mark.usefixtures("records")

FORM = "application/x-www-form-urlencoded"
LABORATORY = "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
OF_AMY = {"Patient/amy", "Encounter/visit-a", "Condition/problem-a", "Practitioner/dr-green"}
OBSERVATIONS = {
    f"Observation/{id_}"
    for id_ in ("lab-a", "vital-a", "none-a", "both-a", "performed-a", "absolute-a", "versioned-a", "other-system-a")
}


@pytest.fixture(autouse=True)
def amy(introspection: Introspection) -> None:
    introspection.knows("patient/*.rs", patient="amy")


def shown(answer: Answered) -> set[str]:
    assert answer.status == 200, answer.text
    resources = [entry["resource"] for entry in answer.body.get("entry", []) if "resource" in entry]
    return {f"{one['resourceType']}/{one['id']}" for one in resources}


def next_page(answer: Answered) -> str:
    links = {link["relation"]: link["url"] for link in answer.body["link"]}
    return str(links["next"]).removeprefix(f"{BASE}/").removeprefix(BASE) if "next" in links else ""


def pages(fetch: Fetch, path: str) -> list[set[str]]:
    found = []
    while path:
        answer = fetch(path)
        found.append(shown(answer))
        path = next_page(answer)
    return found


@pytest.mark.requirement("SR-03", "HI-01")
def test_a_compartment_is_searched_within_the_view_and_that_of_another_is_as_empty_as_an_unknown_one(
    fetch: Fetch, introspection: Introspection, django_assert_num_queries: Any
) -> None:
    assert shown(fetch("Patient/amy/Observation")) == OBSERVATIONS
    assert shown(fetch("Patient/amy/Observation?code=4548-4&category=laboratory")) <= OBSERVATIONS
    assert shown(fetch("Patient/amy/*")) == OF_AMY | OBSERVATIONS
    for of_type in ("Observation", "*", "Patient", "Practitioner"):
        posted = fetch(f"Patient/amy/{of_type}/_search", method="POST", data=b"_id=x", content_type=FORM)
        assert posted.alike == fetch(f"Patient/amy/{of_type}?_id=x").alike
        with django_assert_num_queries(2):  # an event each, and nothing else
            other, unknown = fetch(f"Patient/ben/{of_type}"), fetch(f"Patient/never-was/{of_type}")
        assert (other.body["total"], unknown.body["total"]) == (0, 0)
        assert other.text.replace("/ben/", "/never-was/") == unknown.text
    introspection.knows("user/*.rs", fhirUser=f"{BASE}/Practitioner/dr-okafor", __patients=["ben"])
    assert "Observation/lab-b" in shown(fetch("Patient/ben/Observation"))
    assert shown(fetch("Patient/amy/Observation")) == set()
    introspection.knows("system/*.rs", sub="demo-backend", client_id="demo-backend")
    assert shown(fetch("Patient/amy/Observation")) == OBSERVATIONS
    assert shown(fetch("Patient/never-was/*")) == set()


@pytest.mark.requirement("SR-03", "IX-20")
def test_a_compartment_opens_no_type_that_the_scopes_leave_shut(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("patient/Observation.s patient/Condition.r", patient="amy")

    assert shown(fetch("Patient/amy/*")) == shown(fetch("Patient/amy/Observation")) == OBSERVATIONS
    for patient in ("amy", "ben", "never-was"):
        assert fetch(f"Patient/{patient}/Condition").status == 403
    assert fetch("Patient/amy/Nonsense").status == 404
    introspection.knows("patient/Observation.r", patient="amy")
    assert {fetch(path).status for path in ("Patient/amy/Observation", "Patient/amy/*", "Patient/ben/*")} == {403}


@pytest.mark.requirement("IX-11", "SR-02")
@pytest.mark.parametrize(
    ("scope", "status"),
    [("r", 403), ("c", 403), ("u", 403), ("d", 403), ("s", 200), ("cruds", 200)],
)
def test_the_whole_system_is_searched_and_has_a_history_with_the_letter_s_alone(
    fetch: Fetch, introspection: Introspection, scope: str, status: int
) -> None:
    introspection.knows(f"patient/Observation.{scope}", patient="amy")

    for path in ("?_type=Observation", "?_type=Observation,Patient", "", "_history", "_history?_type=Observation"):
        answer = fetch(path)
        assert answer.status == status, path
        assert status == 403 or shown(answer) == OBSERVATIONS, path
    assert {fetch(path).status for path in ("?_type=Condition", "_history?_type=Condition")} == {403}


@pytest.mark.requirement("SR-02", "SR-18", "SR-19")
def test_of_several_types_each_is_filtered_and_posted_is_asked_alike(fetch: Fetch) -> None:
    assert shown(fetch("?_type=Observation,Patient")) == {"Patient/amy"} | OBSERVATIONS
    assert shown(fetch("?_type=*")) == shown(fetch("")) == OF_AMY | OBSERVATIONS
    assert shown(fetch("?_type=Observation,Patient&_id=lab-a,lab-b,amy,ben")) == {"Patient/amy", "Observation/lab-a"}
    assert fetch("?_type=Observation,Condition&patient=ben&_summary=count").body["total"] == 1  # performed-a
    assert shown(fetch("?_lastUpdated=gt2000")) == OF_AMY | OBSERVATIONS
    assert shown(fetch("?_lastUpdated=lt2000")) == set()
    posted = fetch("_search", method="POST", data=b"_type=Observation,Patient", content_type=FORM)
    assert posted.alike == fetch("?_type=Observation,Patient").alike
    assert [len(page) for page in pages(fetch, "?_type=Observation,Patient&_count=4")] == [4, 4, 1]


@pytest.mark.requirement("SR-02")
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("_type=Nonsense", 404), ("_type=Account", 404), ("_type=Observation,Patient&code=x", 400),
        ("_type=Observation&subject.name=Whitlock", 400), ("_type=Observation&_include=Observation:subject", 400),
        ("_type=Observation&_has:Provenance:target:agent=x", 400), ("_sort=date", 400), ("_tag=x", 400),
        ("_security=x", 400), ("_profile=x", 400),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_of_several_types_is_refused(fetch: Fetch, query: str, status: int) -> None:
    assert fetch(f"?{query}").status == status


@pytest.mark.requirement("IX-19")
def test_a_search_shows_whole_resources_with_the_letter_s_alone_and_counts_with_no_other(
    fetch: Fetch, introspection: Introspection
) -> None:
    introspection.knows("patient/Observation.s", patient="amy")
    assert '"value": 5.30' in fetch("Observation?_id=lab-a").text
    assert fetch("Observation?_summary=count").body["total"] == len(OBSERVATIONS)
    introspection.knows("patient/Observation.cr", patient="amy")
    assert fetch("Observation?_summary=count").status == 403


@pytest.mark.requirement("HV-03", "SR-24", "IX-11")
def test_the_history_of_the_system_is_that_of_the_view(fetch: Fetch, introspection: Introspection) -> None:
    assert shown(fetch("_history")) == OF_AMY | OBSERVATIONS
    assert fetch("_history?_count=1").body["total"] == len(OF_AMY | OBSERVATIONS)
    assert set.union(*pages(fetch, "_history?_count=5")) == OF_AMY | OBSERVATIONS
    assert shown(fetch("_history?_since=2999-01-01")) == set()
    introspection.knows("patient/*.cruds", patient="amy")
    assert fetch("Condition/problem-a", method="DELETE").status == 204
    newest = fetch("_history").body["entry"][0]
    assert (newest["request"]["method"], newest.get("resource")) == ("DELETE", None)
    assert {fetch(f"_history?{query}").status for query in ("_since=x", "_at=2026", "_count=x")} == {400}


@pytest.mark.requirement("FO-01", "FO-02", "FO-03")
def test_everything_of_the_patient_is_what_may_be_read_and_found_of_each_type(
    fetch: Fetch, introspection: Introspection
) -> None:
    assert shown(fetch("Patient/amy/$everything")) == OF_AMY | OBSERVATIONS
    assert shown(fetch("Patient/$everything")) == OF_AMY | OBSERVATIONS
    assert shown(fetch("Patient/amy/$everything?_type=Condition,Patient")) == {"Patient/amy", "Condition/problem-a"}
    scope = f"patient/Patient.r patient/Observation.rs?{LABORATORY} patient/Condition.r patient/Encounter.s"
    introspection.knows(scope, patient="amy")
    for path in ("Patient/amy/$everything", "Patient/$everything"):
        assert shown(fetch(path)) == {"Observation/lab-a", "Observation/both-a"}
    assert fetch("Patient/amy/$everything?_type=Condition").status == 403
    introspection.knows("patient/Patient.r patient/Observation.r patient/Observation.s?code=x", patient="amy")
    assert shown(fetch("Patient/amy/$everything")) == set()  # what may be read, but not found


@pytest.mark.requirement("FO-02", "US-06")
def test_everything_of_the_patient_that_the_person_is_needs_no_more_than_that_person_may_read(
    fetch: Fetch, introspection: Introspection
) -> None:
    claims = {"patient": "amy", "fhirUser": f"{BASE}/Patient/amy"}
    introspection.knows("openid fhirUser patient/Condition.rs", **claims)

    assert shown(fetch("Patient/amy/$everything")) == shown(fetch("Patient/$everything")) == {"Condition/problem-a"}
    assert fetch("Patient/ben/$everything").alike == fetch("Patient/never-was/$everything").alike
    introspection.knows("openid fhirUser patient/Condition.rs", **{**claims, "fhirUser": f"{BASE}/Patient/ben"})
    assert shown(fetch("Patient/ben/$everything")) == set()
    introspection.knows("openid fhirUser patient/Condition.rs", **{**claims, "fhirUser": f"{BASE}/RelatedPerson/amy"})
    assert fetch("Patient/amy/$everything").status == 403  # no right to read any Patient


EXPORTS = (
    "$export", "Patient/$export", "Patient/$export?_type=Patient,Observation", "Group/round/$export", "Group/x/$export",
    f"Patient/$export?_typeFilter=Observation?{LABORATORY.replace('|', '%7C')}", "Patient/amy/$export",
)  # fmt: skip
JOBS = ("$export-poll-status?_jobId=1", "$bulk-status/1", "bulk/1/Observation.ndjson")
SCOPES = (
    "patient/*.cruds",
    "user/*.rs",
    "system/*.cruds",
    "system/Observation.rs",
    f"system/Observation.rs?{LABORATORY}",
)


@pytest.mark.requirement("BX-01", "BX-02", "BX-03")
@pytest.mark.requirement("BX-04", "BX-08")
def test_bulk_export_is_not_done_here_and_shows_nothing_to_anybody(fetch: Fetch, introspection: Introspection) -> None:
    for scope in SCOPES:
        context = {"patient": "amy"} if scope.startswith("patient") else {}
        service = {"sub": "bulk", "client_id": "bulk"} if scope.startswith("system") else {}
        introspection.knows(scope, **context, **service)
        for path in EXPORTS:
            for method in ("GET", "POST"):
                answer = fetch(path, method=method, HTTP_PREFER="respond-async", HTTP_ACCEPT="application/fhir+json")
                assert (answer.status, answer.body["resourceType"]) == (404, "OperationOutcome"), (scope, path)
                assert "Content-Location" not in answer.headers


@pytest.mark.requirement("BX-05", "BX-06")
def test_there_is_no_job_to_ask_about_end_or_fetch_from(fetch: Fetch, introspection: Introspection) -> None:
    for method, path in [(method, path) for method in ("GET", "DELETE") for path in JOBS]:
        assert fetch(path, method=method, token=None).status == 401
        introspection.knows("system/*.rs", sub="bulk", client_id="bulk")
        assert fetch(path, method=method).status in (404, 405)
        introspection.knows("system/*.rs", sub="bulk", client_id="bulk", exp=1)
        assert fetch(path, method=method).status == 401


@pytest.mark.requirement("SR-15")
def test_a_search_or_history_of_one_type_names_no_other_type(fetch: Fetch, search: Search) -> None:
    for path in ("Observation", "Patient/amy/Observation", "Observation/_history", "Observation/lab-a/_history"):
        assert fetch(f"{path}?_type=Patient").status == fetch(f"{path}?_type=Observation,Patient").status == 400
        assert shown(fetch(f"{path}?_type=Observation")) == shown(fetch(f"{path}?_type=")) == shown(fetch(path))
    assert search("Observation", "_type=Patient").status == 400


@pytest.mark.requirement("FO-02", "HI-01")
@pytest.mark.parametrize("scope", ["patient/*.rs", "patient/Patient.rs", "patient/Observation.rs", "openid"])
def test_everything_of_another_patient_is_answered_like_that_of_an_unknown_one(
    fetch: Fetch, introspection: Introspection, scope: str, django_assert_num_queries: Any
) -> None:
    introspection.knows(scope, patient="amy")
    for more in ("", "?_type=Observation", "?start=2026-01-01", "?_count=1"):
        with django_assert_num_queries(2):  # an event each, and nothing else
            other, unknown = (fetch(f"Patient/{each}/$everything{more}") for each in ("ben", "never-was"))
        is_out_of_scope = scope == "openid" or ("Patient" in scope and "Observation" in more)
        assert other.alike == unknown.alike
        assert other.status == (403 if is_out_of_scope or "Observation" in scope else 404)
        assert fetch(f"Encounter/visit-b/$everything{more}").status == 404


@pytest.mark.requirement("FO-03", "SR-14")
def test_each_page_of_everything_is_judged_again_and_belongs_to_its_token(
    fetch: Fetch, introspection: Introspection
) -> None:
    found = pages(fetch, "Patient/amy/$everything?_count=5")
    second = next_page(fetch("Patient/amy/$everything?_count=5"))

    assert [len(page) for page in found] == [5, 5, 2]
    assert set.union(*found) == OF_AMY | OBSERVATIONS
    introspection.knows("patient/Patient.r patient/Condition.rs", patient="amy")
    assert shown(fetch(second)) == set()  # of a token with less
    introspection.knows("patient/*.rs", patient="ben")
    assert fetch(second).status == 404
    assert fetch(second.replace("amy", "ben")).status == 403


@pytest.mark.requirement("FO-03")
def test_everything_is_narrowed_by_the_dates_of_care_and_by_change(fetch: Fetch) -> None:
    def of(query: str) -> set[str]:
        return shown(fetch(f"Patient/amy/$everything?_type=Observation&{query}"))

    dates = {
        f"Observation/{one.resource_id}": json.loads(one.content).get("effectiveDateTime", "")[:10]
        for one in Record.objects.filter(type="Observation")
    }
    undated = {id_ for id_ in OBSERVATIONS if not dates[id_]}
    assert (
        of("start=2026-06-04&end=2026-06-04") == {id_ for id_ in OBSERVATIONS if dates[id_] == "2026-06-04"} | undated
    )
    assert "Observation/lab-a" not in of("start=2026-06-05") | of("end=2026-06-03")
    assert "Observation/lab-a" in of("start=2026-06") & of("end=2026-06") & of("_since=2020-01-01")
    assert of("_since=2999-01-01") == set()
    for query in ("start=x", "end=2026-13", "_since=yesterday", "start=2026&start=2027", "_count=-1"):
        assert fetch(f"Patient/amy/$everything?{query}").status == 400


@pytest.mark.requirement("FO-01")
def test_everything_can_be_posted_with_parameters(fetch: Fetch) -> None:
    def posted(content: Any, path: str = "Patient/amy/$everything") -> Answered:
        data = json.dumps(content).encode() if content is not None else b""
        return fetch(path, method="POST", data=data, content_type="application/fhir+json")

    one = {"name": "_type", "valueString": "Condition"}
    count = {"name": "_count", "valueInteger": 1}
    assert shown(posted(None)) == OF_AMY | OBSERVATIONS
    answer = posted({"resourceType": "Parameters", "parameter": [one, count]})
    assert (shown(answer), answer.body["total"]) == ({"Condition/problem-a"}, 1)
    several: list[Any] = [
        [],
        {"resourceType": "Patient"},
        {"resourceType": "Parameters", "parameter": {}},
        {"resourceType": "Parameters", "parameter": [{"name": "start"}]},
        {"resourceType": "Parameters", "parameter": [{**one, "valueCode": "x"}]},
        {"resourceType": "Parameters", "parameter": [{"name": "start", "part": [one]}]},
        {"resourceType": "Parameters", "parameter": [one] * 21},
    ]
    for bad in several:
        assert posted(bad).status == 400, bad
    assert posted(None, "Patient/ben/$everything").alike == posted(None, "Patient/never-was/$everything").alike


@pytest.mark.requirement("FO-04", "FO-05", "FO-06", "FO-07", "FO-08")
@pytest.mark.parametrize("scope", ["patient/*.cruds", "user/*.cruds", "system/*.cruds"])
def test_other_operations_are_denied_to_everybody(fetch: Fetch, introspection: Introspection, scope: str) -> None:
    of = {"patient": "amy"} if scope.startswith("patient") else {}
    service = {"sub": "demo-backend", "client_id": "demo-backend"} if scope.startswith("system") else {}
    introspection.knows(scope, **of, **service)
    named = "lastn stats match document graph docref summary validate convert meta meta-add expunge reindex"
    named += " member-match process-message graphql expand lookup everything"
    for name in named.split():
        for path in (f"Observation/${name}", f"Observation/lab-a/${name}", f"${name}", f"ValueSet/${name}"):
            for method in ("GET", "POST"):
                answer = fetch(path, method=method, data=b"{}", content_type="application/fhir+json")
                assert answer.status == 404, (method, path)
    for name in ("match", "summary", "graphql", "docref"):
        assert fetch(f"Patient/amy/${name}").alike == fetch(f"Patient/ben/${name}").alike
    assert fetch("Subscription", method="POST", data=b"{}", content_type="application/fhir+json").status in (403, 404)
