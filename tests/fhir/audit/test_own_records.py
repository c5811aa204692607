"""AuditEvent and Provenance of this server: for a scope that opens them for everybody, and hidden from all others."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from fhir.audit.shipping import ship
from fhir.store import lookup
from tests.fhir.conftest import BASE, Introspection
from tests.fixture_types import Fetch, Search

pytestmark = [
    pytest.mark.django_db(databases=["default", "audit"]),
    pytest.mark.usefixtures("records"),
    pytest.mark.requirement("SD-10"),
]

JSON = "application/fhir+json"
OBSERVATION = {
    "resourceType": "Observation", "id": "lab-a", "status": "amended", "code": {"text": "x"},
    "subject": {"reference": "Patient/amy"},
}  # fmt: skip
STORED = {
    "resourceType": "Provenance", "recorded": "2026-01-01T00:00:00Z", "target": [{"reference": "Patient/amy"}],
    "agent": [{"who": {"reference": "Practitioner/pr"}}],
}  # fmt: skip
AUDITOR = {"sub": "auditor", "client_id": "auditor", "patient": None}


@pytest.fixture(autouse=True)
def happened(records: None, empty_trail: None, fetch: Fetch, introspection: Introspection) -> None:
    """A person reads, changes and is refused; then an auditor comes."""
    introspection.knows("user/*.cruds", sub="u-77", fhirUser=f"{BASE}/Practitioner/pr", __patients=["amy"])
    fetch("Observation/lab-a")
    assert fetch("Observation/lab-a", method="PUT", data=json.dumps(OBSERVATION), content_type=JSON).status == 200
    fetch("Observation/lab-b")
    ship()
    as_auditor(introspection)


def as_auditor(introspection: Introspection, scope: str = "system/*.cruds") -> None:
    introspection.knows(scope, **AUDITOR)


def outcomes(answer: Any) -> list[tuple[str, str]]:
    events = [entry["resource"] for entry in answer.body.get("entry", [])]
    return [(event["subtype"][0]["code"], event["outcome"]) for event in events]


DONE, REFUSED = [("read", "0"), ("update", "0")], [("read", "4")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", DONE + REFUSED),
        ("outcome=0", DONE),
        ("outcome:not=0", REFUSED),
        ("patient=amy", DONE),
        ("patient=Patient/ben", REFUSED),
        ("agent=Practitioner/pr&action=U", DONE[1:]),
        ("altid=u-77", DONE + REFUSED),
        ("altid=somebody", []),
        ("entity=Observation/lab-b", REFUSED),
        ("entity=Observation/lab-a", DONE),
        ("date=ge2020-01-01&date=lt2020-02-01", []),
        ("date=ge2020-01-01&subtype=update", DONE[1:]),
        ("_sort=-_lastUpdated", (DONE + REFUSED)[::-1]),
    ],
)
def test_an_operator_finds_events_by_what_happened(fetch: Fetch, query: str, found: list[tuple[str, str]]) -> None:
    answer = fetch(f"AuditEvent?{query}")

    assert (answer.status, outcomes(answer), answer.body["total"]) == (200, found, len(found))


def test_a_read_shows_the_one_that_a_search_has_found(fetch: Fetch) -> None:
    entry = fetch("AuditEvent?outcome=4").body["entry"][0]

    assert entry["fullUrl"] == f"{BASE}/AuditEvent/{entry['resource']['id']}"
    assert fetch(f"AuditEvent/{entry['resource']['id']}").body == entry["resource"]


def test_that_somebody_looked_at_the_events_is_an_event(fetch: Fetch) -> None:
    seen = fetch("AuditEvent?outcome=4").body["entry"][0]["resource"]["id"]
    ship()

    assert outcomes(fetch(f"AuditEvent?entity=AuditEvent/{seen}")) == [("search-type", "0")]


@pytest.mark.parametrize("page", [1, 2, 4])
def test_pages_go_through_what_is_stored_and_then_through_the_servers_own(fetch: Fetch, page: int) -> None:
    for _ in range(2):
        assert fetch("Provenance", method="POST", data=json.dumps(STORED), content_type=JSON).status == 201
    ship()
    every = fetch("Provenance").body
    ids = [entry["resource"]["id"] for entry in every["entry"]]
    assert (len(ids), every["total"]) == (len(set(ids)), len(ids))

    found, path = [], f"Provenance?_count={page}"
    while path:
        body = fetch(path).body
        found += [entry["resource"]["id"] for entry in body["entry"]]
        following = [link["url"] for link in body["link"] if link["relation"] == "next"]
        path = f"Provenance?{urlsplit(following[0]).query}" if following else ""
    assert found == ids


def test_a_write_is_found_by_its_target(fetch: Fetch) -> None:
    (entry,) = fetch("Provenance?target=Observation/lab-a&recorded=ge2020").body["entry"]

    assert entry["resource"]["target"] == [{"reference": "Observation/lab-a/_history/2"}]
    assert fetch("Provenance?target=Observation/lab-b").body["total"] == 0


def test_only_the_total_is_counted_too(fetch: Fetch) -> None:
    assert fetch("AuditEvent?_summary=count").body["total"] == 3
    assert "total" not in fetch("AuditEvent?_total=none&_count=1").body


def test_more_than_is_counted_unasked_has_no_total(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fetch("Provenance", method="POST", data=json.dumps(STORED), content_type=JSON).status == 201
    monkeypatch.setattr(lookup, "MAX_COUNTED", 1)

    for name in ("AuditEvent", "Provenance"):
        every = fetch(f"{name}?_summary=count").body["total"]
        assert every > 1
        assert fetch(f"{name}?_count=1&_total=accurate").body["total"] == every
        assert name == "Provenance" or "total" not in fetch("AuditEvent?_count=1").body


@pytest.mark.requirement("PC-23", "SD-26")
@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("patient/*.rs", {"patient": "amy"}),
        ("user/*.rs", {"fhirUser": f"{BASE}/Practitioner/pr", "__patients": ["amy", "ben"]}),
        ("user/AuditEvent.rs user/Provenance.rs", {"fhirUser": f"{BASE}/Patient/amy", "__patients": ["amy"]}),
        ("system/*.rs", {"sub": "u-1", "client_id": "app"}),
    ],
)
def test_nobody_else_finds_or_reads_one(
    fetch: Fetch, search: Search, introspection: Introspection, scope: str, claims: dict[str, Any]
) -> None:
    event = fetch("AuditEvent").ids[0]
    provenance = fetch("Provenance?target=Observation/lab-a").ids[0]
    introspection.knows(scope, **claims)

    for path in (f"AuditEvent/{event}", f"Provenance/{provenance}"):
        unknown = fetch(f"{path.partition('/')[0]}/never-was")
        assert unknown.status in (403, 404)
        assert fetch(path).alike == unknown.alike
    for name in ("AuditEvent", "Provenance"):
        answer = fetch(name)
        assert answer.status == 403 or answer.ids == []


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ("system/AuditEvent.rs?outcome=4", REFUSED),
        ("system/AuditEvent.rs?outcome=4 system/AuditEvent.rs?action=U", [("update", "0"), ("read", "4")]),
        ("system/AuditEvent.rs?outcome=8", []),
        ("system/AuditEvent.rs?outcome=4 system/AuditEvent.rs", DONE + REFUSED),
    ],
)
def test_a_granular_scope_opens_what_it_says(
    fetch: Fetch, introspection: Introspection, scope: str, found: list[tuple[str, str]]
) -> None:
    as_auditor(introspection, scope)

    assert outcomes(fetch("AuditEvent")) == found


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "AuditEvent"), ("PUT", "AuditEvent/{}"), ("DELETE", "AuditEvent/{}")]
)
def test_nobody_writes_an_event(fetch: Fetch, method: str, path: str) -> None:
    event = fetch("AuditEvent?outcome=4").ids[0]

    answer = fetch(path.format(event), method=method, data='{"resourceType": "AuditEvent"}', content_type=JSON)

    assert answer.status == 405


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_nobody_changes_the_provenance_that_the_server_made(fetch: Fetch, method: str) -> None:
    (one,) = fetch("Provenance?target=Observation/lab-a").body["entry"]
    path = f"Provenance/{one['resource']['id']}"

    changed = fetch(path, method=method, data=json.dumps(one["resource"]), content_type=JSON)

    assert changed.status == 404
    assert fetch(path).body == one["resource"]


def test_other_versions_do_not_show_it(fetch: Fetch, introspection: Introspection) -> None:
    from fhir.audit.own_records import search_records
    from fhir.search.query import Search as Asked
    from fhir.versions.version import load_version
    from smart.decisions.view import Alternative, Everybody

    page = search_records(load_version("stu3"), "AuditEvent", (Alternative(Everybody()),), Asked(), {})

    assert page.records == []
