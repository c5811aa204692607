"""A patient's token sees that patient, and nobody can tell what else there is."""

from typing import Any

import pytest

from fhir.models import Record
from tests.fhir.conftest import BASE, Introspection
from tests.fixture_types import Fetch, Search

pytestmark = pytest.mark.usefixtures("records")

OWN = ["lab-a", "vital-a", "none-a", "both-a", "performed-a", "absolute-a", "versioned-a", "other-system-a"]
SHOWN = [
    "Patient/amy",
    "Encounter/visit-a",
    "Condition/problem-a",
    "Practitioner/dr-green",
    *(f"Observation/{id_}" for id_ in OWN),
]
HIDDEN = [
    "Patient/ben",
    "Patient/amy-linked",
    "Encounter/visit-b",
    "Condition/problem-b",
    "RelatedPerson/parent-b",
    "Practitioner/dr-okafor",
    "Practitioner/dr-nobody",
    "Observation/lab-b",
    "Observation/vital-b",
    "Observation/foreign-a",
    "Observation/identifier-a",
    "Observation/contained-a",
    "Observation/group-a",
    "Observation/subjectless",
]


@pytest.fixture(autouse=True)
def amy(introspection: Introspection) -> None:
    introspection.knows("patient/*.rs", patient="amy")


@pytest.mark.requirement("PC-01", "PC-08", "SD-25")
@pytest.mark.parametrize("path", SHOWN)
def test_what_is_the_patients_is_read_as_it_was_stored(fetch: Fetch, path: str) -> None:
    answer = fetch(path)

    assert answer.status == 200
    assert f"{answer.body['resourceType']}/{answer.body['id']}" == path
    assert answer.text == Record.objects.get(type=path.partition("/")[0], resource_id=answer.body["id"]).content


def test_a_decimal_keeps_its_zeros(fetch: Fetch) -> None:
    assert '"value": 5.30' in fetch("Observation/lab-a").text
    assert '"value": 5.30' in fetch("Observation?_id=lab-a").text


@pytest.mark.requirement("PC-02", "PC-03", "SD-26")
@pytest.mark.requirement("PC-11", "PC-12", "PC-17")
@pytest.mark.requirement("PC-18", "PC-23")
@pytest.mark.parametrize("path", HIDDEN)
def test_what_is_not_is_answered_like_an_id_that_never_existed(
    fetch: Fetch, path: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        answer = fetch(path)
    with django_assert_num_queries(2):
        unknown = fetch(f"{path.partition('/')[0]}/never-was")

    assert answer.status == 404
    assert answer.alike == unknown.alike
    assert answer.body["issue"][0]["code"] == "not-found"


@pytest.mark.requirement("HI-01", "IX-17", "IX-18")
@pytest.mark.parametrize("scope", ["patient/*.cruds", "patient/*.rs", "patient/*.cud", "patient/Condition.rs"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "POST"])
@pytest.mark.parametrize("rest", ["", "/_history", "/_history/1", "/$everything", "/Observation", "/*"])
def test_no_interaction_tells_another_patients_id_from_an_unknown_one(
    fetch: Fetch, introspection: Introspection, scope: str, method: str, rest: str
) -> None:
    introspection.knows(scope, patient="amy")
    form: dict[str, Any] = {"method": method, "data": b"{}", "content_type": "application/fhir+json"}

    for type_, id_ in (("Patient", "ben"), ("Observation", "lab-b")):
        other, unknown = (fetch(f"{type_}/{each}{rest}", **form) for each in (id_, "never-was"))
        assert other.status == unknown.status
        assert other.text.replace(id_, "never-was") == unknown.text  # a searchset repeats the address that was asked
        assert {**other.headers, "Content-Length": "", "X-Request-Id": ""} == {
            **unknown.headers, "Content-Length": "", "X-Request-Id": ""
        }  # fmt: skip


@pytest.mark.requirement("IX-12")
def test_head_is_get_without_the_body(fetch: Fetch) -> None:
    got, head, hidden = fetch("Patient/amy"), fetch("Patient/amy", method="HEAD"), fetch("Patient/ben", method="HEAD")

    assert (head.status, head.text) == (200, "")
    assert head.headers["Content-Type"] == got.headers["Content-Type"]
    assert hidden.alike == fetch("Patient/never-was", method="HEAD").alike
    assert hidden.status == 404


@pytest.mark.requirement("PC-21", "SD-18", "SD-20")
@pytest.mark.parametrize(
    "id_",
    [
        pytest.param("Amy", id="case"),
        pytest.param("amy%20", id="space"),
        pytest.param("amy%00", id="NUL"),
        pytest.param("amy%0A", id="newline"),
        pytest.param("%61my%2F", id="slash"),
        pytest.param("amy/", id="bare slash"),
        pytest.param("..%2Fben", id="climbing"),
        pytest.param("%ff%fe", id="invalid UTF-8"),
        pytest.param("amy%ED%A0%80", id="surrogate"),
        pytest.param("a" * 65, id="65 characters"),
        pytest.param("a" * 60_000, id="60,000 characters"),
        pytest.param("amy'--", id="SQL"),
        pytest.param("' OR '1'='1", id="SQL condition"),
        pytest.param("%", id="percent"),
        pytest.param("*", id="asterisk"),
        pytest.param("ａｍｙ", id="full width"),
    ],
)
def test_only_the_exact_id_is_the_record(fetch: Fetch, id_: str) -> None:
    assert fetch(f"Patient/{id_}").alike == fetch("Patient/never-was").alike


@pytest.mark.requirement("PC-04", "SD-25")
@pytest.mark.parametrize("query", ["", "code:missing=false", "status=final", "_count=200", "_offset=0"])
def test_a_search_that_names_no_patient_finds_only_the_tokens_own(search: Search, query: str) -> None:
    answer = search("Observation", query)

    assert set(answer.ids) <= set(OWN)
    assert answer.body["total"] == len(OWN)


@pytest.mark.requirement("PC-05", "SR-01", "SD-25")
@pytest.mark.parametrize(
    "query",
    [
        "patient=ben",
        "patient=Patient/ben",
        f"patient={BASE}/Patient/ben",
        "patient:Patient=ben",
        "patient=never-was",
        "patient=https://other.example/fhir/r4/Patient/amy",
        "patient=Group/amy",
        "patient=amy&patient=ben",
        "subject:Group=amy",
        "subject:identifier=urn:nothing|HC-B",
    ],
)
def test_a_search_for_another_patient_finds_nothing_but_what_both_share(search: Search, query: str) -> None:
    found = search("Observation", query)

    # performed-a is about ben and was measured by amy: the full compartment of R4 holds it
    assert set(found.ids) <= {"performed-a"}
    assert found.body["total"] == len(found.ids)


@pytest.mark.requirement("PC-05")
@pytest.mark.parametrize(
    "query",
    ["patient=amy", "patient=Patient/amy", f"subject={BASE}/Patient/amy", "subject:Patient=amy", "subject=amy"],
)
def test_every_spelling_of_the_own_patient_finds_them(search: Search, query: str) -> None:
    assert search("Observation", query).ids == [id_ for id_ in OWN if id_ != "performed-a"]


@pytest.mark.requirement("PC-05")
def test_of_two_patients_only_the_own_is_found(search: Search) -> None:
    assert search("Observation", "patient=amy,ben").ids == OWN


@pytest.mark.requirement("PC-06", "SR-08")
@pytest.mark.parametrize("query", ["patient:identifier=urn:records|HC-{}", "subject.identifier=urn:records|HC-{}"])
def test_a_search_by_what_is_written_elsewhere_tells_nothing_of_others(fetch: Fetch, query: str) -> None:
    other, unknown = (fetch("Observation?" + query.format(which)) for which in ("B", "unknown"))

    assert other.status == unknown.status
    assert other.body.get("total") == unknown.body.get("total")
    assert other.ids == unknown.ids == []


@pytest.mark.requirement("PC-07", "SD-26")
@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["amy"]),
        ("name=Whitlock", []),
        ("name=Shaw", ["amy"]),
        ("_id=ben", []),
        ("_id=amy,ben", ["amy"]),
        ("identifier=HC-B", []),
        ("identifier=urn:records|HC-A", ["amy"]),
        ("gender=male", []),
        ("birthdate=lt2000", ["amy"]),
        ("nonsense=ben", ["amy"]),
    ],
)
def test_a_patients_search_gives_their_own_record_or_none(search: Search, query: str, ids: list[str]) -> None:
    answer = search("Patient", query)

    assert answer.ids == ids
    assert answer.body["total"] == len(ids)


@pytest.mark.requirement("SR-12")
def test_a_mistyped_parameter_widens_nothing(search: Search) -> None:
    assert search("Observation", "pateint=ben").ids == OWN


@pytest.mark.requirement("SR-01")
@pytest.mark.parametrize(("query", "body"), [("patient=ben", "patient=amy"), ("patient=amy", "patient=ben")])
def test_query_and_body_of_one_search_narrow_each_other(fetch: Fetch, query: str, body: str) -> None:
    form = "application/x-www-form-urlencoded"

    answer = fetch(f"Observation/_search?{query}", method="POST", data=body.encode(), content_type=form)

    assert answer.body["total"] == 0


@pytest.mark.requirement("FO-02")
@pytest.mark.parametrize(
    "path",
    [
        "Patient/ben/_search/x/y",
        "Patient/amy/_search",
        "Patient/amy/$lastn",
        "Encounter/visit-b/$everything",
        "Encounter/visit-a/Observation",
        "$graphql",
        "$export",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_paths_that_nobody_declared_serve_nothing(fetch: Fetch, path: str, method: str) -> None:
    answer = fetch(path, method=method)

    assert answer.status in (404, 405, 415)  # a batch is posted to the base, and this is none
    assert answer.body["resourceType"] == "OperationOutcome"


@pytest.mark.requirement("SR-05")
@pytest.mark.parametrize("query", ["_include=*", "_include:iterate=*", "_include=", "_revinclude=*"])
def test_an_include_of_which_nobody_can_tell_what_it_brings_is_400(search: Search, query: str) -> None:
    assert search("Observation", query).status == search("Patient", query).status == 400


@pytest.mark.requirement("PC-19")
def test_without_the_patients_own_record_nothing_is_left_and_nothing_opens(fetch: Fetch, search: Search) -> None:
    Record.objects.get(type="Patient", resource_id="amy").delete()

    assert [fetch(path).status for path in SHOWN] == [404] * len(SHOWN)
    assert search("Observation").body["total"] == search("Patient").body["total"] == 0


@pytest.mark.requirement("PC-19")
def test_a_patient_who_never_was_sees_nothing(fetch: Fetch, search: Search, introspection: Introspection) -> None:
    introspection.knows("patient/*.rs", patient="never-was")

    assert {fetch(path).status for path in SHOWN} == {404}
    assert search("Observation").body["total"] == search("Patient").body["total"] == 0
