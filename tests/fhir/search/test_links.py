"""Chains look among the records of the token's view alone, and what comes along lies in the view of its own type."""

import json
from typing import Any

import pytest
from django.utils import timezone

from fhir.store.versions import add_versions, first_version
from tests.fhir.conftest import BASE, Answered, Introspection
from tests.fixture_types import Fetch, Search

pytestmark = pytest.mark.usefixtures("records")


@pytest.fixture(autouse=True)
def amy(introspection: Introspection) -> None:
    introspection.knows("patient/*.rs", patient="amy")


def store(**resources: dict[str, Any]) -> None:
    """Observations with these ids, final and of amy unless said."""
    made = []
    for id_, members in resources.items():
        content = {"resourceType": "Observation", "id": id_, "status": "final", "subject": {"reference": "Patient/amy"}}
        made.append(first_version("r4", "Observation", id_, json.dumps({**content, **members}), timezone.now()))
    assert add_versions(made)


def included(answer: Answered) -> list[str]:
    return [entry["resource"]["id"] for entry in answer.body["entry"] if entry["search"]["mode"] == "include"]


@pytest.mark.requirement("SR-08", "SR-23")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Observation?subject:Patient.family=Shaw&_id=lab-a", ["lab-a"]),
        ("Observation?subject:Patient.family:exact=shaw&_id=lab-a", []),
        ("Observation?patient.gender=female&_id=lab-a,vital-a", ["lab-a", "vital-a"]),
        ("Observation?subject:Patient.family=Whitlock", []),
        ("Observation?subject:Patient.family=Nobody", []),
        ("Observation?patient.gender=male", []),
        ("Patient?_has:Observation:patient:code=http://loinc.org|4548-4", ["amy"]),
        ("Patient?_has:Observation:patient:code=nothing", []),
        ("Patient?_has:Observation:performer:_id=performed-a", ["amy"]),
    ],
)
def test_a_chain_finds_by_what_the_token_reaches(search: Search, query: str, found: list[str]) -> None:
    type_, _, asked = query.partition("?")
    answer = search(type_, asked)

    assert (answer.ids, answer.body["total"]) == (found, len(found))


@pytest.mark.requirement("SR-08", "SR-23")
def test_no_chain_tells_of_anothers_records(fetch: Fetch) -> None:
    store(bens={"subject": {"reference": "Patient/ben"}, "status": "amended"})

    for of_ben, of_nobody in (
        ("Patient?_has:Observation:patient:status=amended", "Patient?_has:Observation:patient:status=cancelled"),
        ("Observation?patient.family=Whitlock", "Observation?patient.family=Nobody"),
        ("Observation?patient.family=Whitlock&_summary=count", "Observation?patient.family=Nobody&_summary=count"),
    ):
        other, unknown = fetch(of_ben), fetch(of_nobody)
        assert (other.status, other.ids, other.body["total"]) == (unknown.status, unknown.ids, unknown.body["total"])
        assert other.body["total"] == 0


@pytest.mark.requirement("SR-09")
def test_no_chain_leads_through_a_type_without_the_right_to_search(fetch: Fetch, introspection: Introspection) -> None:
    for scope in ("patient/Observation.rs", "patient/Observation.rs patient/Patient.r"):
        introspection.knows(scope, patient="amy")
        for query in ("Observation?patient.family=Shaw", "Observation?patient.family=Nobody"):
            answer = fetch(query)
            assert (answer.status, answer.body["issue"][0]["code"]) == (400, "not-supported")
    introspection.knows("patient/Patient.rs", patient="amy")
    assert fetch("Patient?_has:Observation:patient:code=1").status == 400


@pytest.mark.requirement("SR-09", "GR-15")
def test_a_chain_is_held_by_a_granular_scope(search: Search, introspection: Introspection) -> None:
    introspection.knows("patient/Patient.rs patient/Observation.rs?status=amended", patient="amy")

    assert search("Patient", "_has:Observation:patient:status=final").ids == []
    store(changed={"status": "amended"})
    assert search("Patient", "_has:Observation:patient:status=amended").ids == ["amy"]


@pytest.mark.requirement("SR-08")
@pytest.mark.parametrize(
    "query",
    [
        "subject.family=Shaw",
        "subject:Patient.nonsense=1",
        "subject:Nonsense.name=1",
        "encounter.subject.name=Shaw",
        "code.name=1",
        "_has:Observation:patient=1",
        "_has:Observation:patient:code:not=1",
        "_has:Nonsense:patient:code=1",
        "_has:Observation:code:status=1",
        "subject:Patient.birthdate=soon",
    ],
)
def test_a_chain_that_is_longer_or_unclear_is_400(search: Search, introspection: Introspection, query: str) -> None:
    assert search("Observation", query).status == 400
    introspection.knows("system/*.rs", sub="demo-backend", client_id="demo-backend")
    assert search("Observation", query).status == 400


@pytest.mark.requirement("SR-04", "SR-05", "SR-07")
def test_what_comes_along_lies_in_the_view_of_its_type(fetch: Fetch, introspection: Introspection) -> None:
    store(o={"performer": [{"reference": "Practitioner/dr-green"}, {"reference": "Practitioner/dr-nobody"}]})
    both = "_include=Observation:subject&_include=Observation:performer"

    assert included(fetch(f"Observation?_id=o&{both}")) == ["amy", "dr-green", "dr-nobody"]
    assert included(fetch(f"Observation?_id=performed-a&{both}")) == ["amy"]
    assert included(fetch("Observation?_id=o&_include=Observation:performer:Patient")) == []
    introspection.knows("patient/Observation.rs", patient="amy")
    assert included(fetch(f"Observation?_id=o&{both}")) == []
    introspection.knows("patient/Observation.rs patient/Patient.s", patient="amy")
    assert included(fetch(f"Observation?_id=o&{both}")) == []
    introspection.knows("patient/Observation.rs patient/Patient.r", patient="amy")
    assert included(fetch(f"Observation?_id=o&{both}")) == ["amy"]


@pytest.mark.requirement("SR-06", "GR-10")
def test_what_refers_to_the_matches_comes_along_within_its_scope(fetch: Fetch, introspection: Introspection) -> None:
    answer = fetch("Patient?_revinclude=Observation:subject")
    assert (answer.body["total"], "lab-b" in answer.text) == (1, False)
    assert {"lab-a", "vital-a"} <= set(included(answer))

    introspection.knows("patient/Patient.rs patient/Observation.r?category=vital-signs", patient="amy")
    assert set(included(fetch("Patient?_revinclude=Observation:subject"))) == {"vital-a", "both-a"}
    introspection.knows("patient/Patient.rs", patient="amy")
    assert included(fetch("Patient?_revinclude=Observation:subject")) == []


@pytest.mark.requirement("SR-05")
def test_an_include_is_followed_again_and_ends(fetch: Fetch, django_assert_max_num_queries: Any) -> None:
    def member(id_: str) -> dict[str, Any]:
        return {"hasMember": [{"reference": f"Observation/{id_}"}]}

    store(one=member("two"), two=member("three"), three=member("four"), four=member("five"), five=member("one"))

    assert included(fetch("Observation?_id=one&_include=Observation:has-member")) == ["two"]
    with django_assert_max_num_queries(8):
        answer = fetch("Observation?_id=one&_include:iterate=Observation:has-member")
    assert included(answer) == ["two", "three", "four"]
    store(circle=member("circle"))
    assert included(fetch("Observation?_id=circle&_include:iterate=Observation:has-member")) == []


def test_the_links_keep_chains_and_includes(fetch: Fetch) -> None:
    query = "patient.gender=female&_include=Observation%3Asubject&_count=2"

    answer = fetch(f"Observation?{query}")

    assert answer.body["link"][0]["url"] == f"{BASE}/Observation?{query}"
    following = fetch(answer.body["link"][1]["url"].removeprefix(f"{BASE}/"))
    assert (following.status, included(following)) == (200, ["amy"])


@pytest.mark.requirement("SR-05")
@pytest.mark.parametrize("value", ["Observation:nonsense", "Observation:code", "Nonsense:subject", "Observation"])
def test_an_include_of_what_is_no_reference_is_400(search: Search, introspection: Introspection, value: str) -> None:
    introspection.knows("system/*.rs", sub="demo-backend", client_id="demo-backend")

    assert search("Observation", f"_include={value}").status == 400
    assert search("Observation", "&".join(["_include=Observation:subject"] * 11)).status == 400
