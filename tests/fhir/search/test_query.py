"""Search parameters, paging and what is refused of them."""

from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir.store import lookup
from tests.fhir.conftest import BASE, Introspection
from tests.fixture_types import Fetch, Search

pytestmark = pytest.mark.usefixtures("records")


@pytest.fixture(autouse=True)
def amy(introspection: Introspection) -> None:
    introspection.knows("patient/*.rs", patient="amy")


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("_id=lab-a,vital-a", ["lab-a", "vital-a"]),
        ("category=laboratory&category=vital-signs", ["both-a"]),
        ("code=http://loinc.org|4548-4", ["lab-a"]),
        ("code=http://loinc.org|", ["lab-a", "vital-a", "none-a", "both-a"]),
        ("code=|4548-4", []),
        ("code=urn:other|4548-4", []),
        ("status=preliminary", []),
        ("status:not=final", []),
        ("category:missing=true", ["none-a"]),
        ("date=2025", ["none-a"]),
        ("date=2025-06", []),
        ("date=ap2025-06", ["none-a"]),
        ("date=2026-11-20T13:00:00Z", ["both-a"]),
        ("date=sa2026-06-04", ["both-a"]),
        ("date=eb2026", ["none-a"]),
        ("date=ge2025-06-01&date=lt2026-01-01", ["none-a"]),
        ("date=ne2026", ["none-a"]),
        ("date=gt2026-06-04", ["both-a"]),
        ("date=le2025-12-31", ["none-a"]),
        ("performer=Patient/amy", ["performed-a"]),
    ],
)
def test_observations_are_found_by(search: Search, query: str, ids: list[str]) -> None:
    mine = "_id=lab-a,vital-a,none-a,both-a&" if "performer" not in query else ""

    assert search("Observation", mine + query).ids == ids


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("family=shaw", True),
        ("family=SH", True),
        ("family=haw", False),
        ("family:contains=haw", True),
        ("family:exact=Shaw", True),
        ("family:exact=shaw", False),
        ("given=%C3%81my", True),
        ("name=amy,ben", True),
        ("name=,", False),
        ("name=%CC%81", False),
        ("name=", True),
        ("birthdate=1990-02-11", True),
        ("birthdate=1990-02-12", False),
        ("gender=female", True),
        ("gender:not=female", False),
        ("identifier=urn:records|", True),
    ],
)
def test_patients_are_found_by(search: Search, query: str, found: bool) -> None:
    assert search("Patient", query).ids == (["amy"] if found else [])


@pytest.mark.requirement("SD-18", "SD-20", "SD-27")
@pytest.mark.parametrize(
    "query",
    [
        pytest.param("_count=ten", id="count a word"),
        pytest.param("_count=-1", id="count negative"),
        pytest.param("_count=1.5", id="count a decimal"),
        pytest.param("_count=1&_count=2", id="count twice"),
        pytest.param("_count=" + "9" * 5000, id="count overlong"),
        pytest.param("_count=%D9%A1", id="count in other digits"),
        pytest.param("_total=some", id="an unknown total"),
        pytest.param("_sort=nonsense", id="sort by what is no parameter"),
        pytest.param("_sort=subject", id="sort by a reference"),
        pytest.param("_sort=date,code,status,category", id="sort by four"),
        pytest.param("date=yesterday", id="date a word"),
        pytest.param("date=2026-13", id="month 13"),
        pytest.param("date=0000", id="year 0"),
        pytest.param("date=9999", id="year 9999"),
        pytest.param("date=2026-01-01T00:00:00%2B99:99", id="zone out of range"),
        pytest.param("date=zz2026", id="unknown prefix"),
        pytest.param("date:exact=2026", id="modifier on a date"),
        pytest.param("code:in=http://example.org/vs", id="modifier on a token"),
        pytest.param("code:missing=maybe", id="missing maybe"),
        pytest.param("patient:exact=amy", id="modifier on a reference"),
        pytest.param("code=%00", id="NUL"),
        pytest.param("%00=1", id="NUL in a name"),
        pytest.param("code=%ff", id="invalid UTF-8"),
        pytest.param("&".join(f"p{n}=1" for n in range(101)), id="101 parameters"),
        pytest.param("code=" + ",".join("x" * 201), id="201 values"),
    ],
)
def test_a_search_that_makes_no_sense_is_400(search: Search, query: str) -> None:
    answer = search("Observation", query)

    assert answer.status == 400
    assert answer.body["issue"][0]["code"] == "invalid"


@pytest.mark.requirement("SR-08", "SR-11", "SR-16")
@pytest.mark.parametrize(
    "query", ["subject.name=Shaw", "_has:Observation:nonsense:code=", "_list=l",
              "_filter=code eq 1", "_query=q", "_contained=both", "_sort=subject.name"],
)  # fmt: skip
def test_a_parameter_that_looks_at_other_records_is_400_and_not_evaluated(search: Search, query: str) -> None:
    answer = search("Observation", query)

    assert answer.status == 400
    assert answer.body["issue"][0]["code"] == "not-supported"


@pytest.mark.requirement("SD-20")
def test_what_is_too_large_is_413_and_a_query_414(fetch: Fetch) -> None:
    form = {"method": "POST", "content_type": "application/x-www-form-urlencoded"}

    assert fetch("Observation?code=" + "x" * 20_000).status == 414
    assert fetch("Observation/_search", data=b"code=" + b"x" * 70_000, **form).status == 413
    assert fetch("Observation/_search", data=b"a=b", CONTENT_LENGTH="nonsense", **form).status == 400


def test_a_body_of_unknown_length_is_not_taken_for_none(fetch: Fetch) -> None:
    form = {"method": "POST", "content_type": "application/x-www-form-urlencoded"}

    assert fetch("Observation/_search", data=b"patient=ben", HTTP_TRANSFER_ENCODING="chunked", **form).status == 411


@pytest.mark.requirement("SD-18")
@pytest.mark.parametrize(
    "value",
    ["' OR '1'='1", "'; DROP TABLE fhir_record; --", '{"$gt": ""}', "%' OR 1=1 --", "<script>alert(1)</script>"],
)
@pytest.mark.parametrize(("type_", "name"), [("Patient", "name"), ("Patient", "_id"), ("Observation", "code")])
def test_attacks_find_nothing(search: Search, type_: str, name: str, value: str) -> None:
    answer = search(type_, f"{name}={quote(value)}")

    assert (answer.status, answer.body["total"]) == (200, 0)
    assert search("Patient").body["total"] == 1


def test_strict_handling_refuses_an_unknown_parameter(search: Search) -> None:
    assert search("Observation", "nonsense=1").status == 200
    assert search("Observation", "nonsense=1", HTTP_PREFER="handling=strict").status == 400
    assert search("Observation", "code=1&_count=1", HTTP_PREFER="return=minimal, handling=strict").status == 200


@pytest.mark.requirement("SR-13", "GR-17")
@pytest.mark.parametrize("query", ["", "code:missing=false"], ids=["in the database", "by content"])
def test_pages_follow_each_other_and_know_the_whole(fetch: Fetch, query: str) -> None:
    seen: list[str] = []
    path = f"Observation?{query}&_count=3"
    while path:
        answer = fetch(path)
        links = {link["relation"]: link["url"] for link in answer.body["link"]}
        assert answer.body["total"] == 8
        seen += answer.ids
        path = links.get("next", "").removeprefix(f"{BASE}/")

    assert len(seen) == len(set(seen)) == 8


@pytest.mark.requirement("SR-13")
@pytest.mark.parametrize(("query", "entries"), [("_count=0", 0), ("_count=999999999", 8), ("_offset=999999999", 8)])
def test_any_page_size_is_bounded_and_counts_the_same(search: Search, query: str, entries: int) -> None:
    answer = search("Observation", query)

    assert (answer.body["total"], len(answer.ids)) == (8, entries)
    assert "next" not in [link["relation"] for link in answer.body["link"]]


@pytest.mark.requirement("SR-13")
@pytest.mark.parametrize(
    ("query", "total"), [("_summary=count", 8), ("_summary=count&_count=3", 8), ("code:missing=true&_summary=count", 0)]
)
def test_a_summary_of_the_count_holds_no_resource(search: Search, query: str, total: int) -> None:
    answer = search("Observation", query, HTTP_PREFER="handling=strict")

    assert (answer.body["total"], "entry" in answer.body) == (total, False)
    (link,) = answer.body["link"]
    assert (link["relation"], link["url"].endswith("_summary=count")) == ("self", True)


@pytest.mark.requirement("SR-13", "GR-17")
def test_more_than_is_counted_unasked_has_pages_and_no_total(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ["", "?_total=estimate", "/_history"]
    urls = [*(f"Observation{path}" for path in paths), "_history", "Patient/amy/*", "Patient/amy/$everything"]
    urls = [f"{url}{'&' if '?' in url else '?'}_count=3" for url in urls]
    whole = [fetch(url).body["total"] for url in urls]
    assert min(whole) == 8

    monkeypatch.setattr(lookup, "MAX_COUNTED", 7)

    for url in urls:
        body = fetch(url).body
        assert ("total" in body, len(body["entry"]), body["link"][1]["relation"]) == (False, 3, "next"), url
    for asked in ("_count=3&_total=accurate", "_summary=count", "_count=0", "_count=8"):
        assert fetch(f"Observation?{asked}").body["total"] == 8
    assert [fetch(f"{url[:-1]}0").body["total"] for url in urls] == whole
    monkeypatch.setattr(lookup, "MAX_COUNTED", 8)
    assert fetch(urls[0]).body["total"] == 8


@pytest.mark.parametrize(
    ("value", "lenient", "strict"),
    [("false", 200, 200), ("true", 200, 400), ("text", 200, 200), ("data", 200, 200), ("all", 400, 400)],
)
def test_another_summary_is_answered_in_full_or_refused_when_strict(
    search: Search, value: str, lenient: int, strict: int
) -> None:
    answer = search("Observation", f"_summary={value}")

    assert answer.status == lenient
    assert lenient != 200 or len(answer.ids) == 8
    assert search("Observation", f"_summary={value}", HTTP_PREFER="handling=strict").status == strict
    assert search("Observation", "_summary=count&_summary=false").status == 400


@pytest.mark.requirement("SR-14")
def test_a_next_link_is_judged_by_the_token_that_comes_with_it(fetch: Fetch, introspection: Introspection) -> None:
    link = fetch("Observation?_count=3").body["link"][1]["url"].removeprefix(f"{BASE}/")

    assert fetch(link, token=None).status == 401
    for other in ({"patient": "ben"}, {"client_id": "other"}, {"sub": "u-2"}):
        introspection.knows("patient/*.rs", **{"patient": "amy", **other})
        answer = fetch(link)
        assert (answer.status, answer.body["issue"][0]["code"]) == (403, "forbidden")
    introspection.knows("patient/Patient.rs", patient="amy")
    assert fetch(link).status == 403
    introspection.knows("patient/*.rs", patient="amy")
    assert (fetch(link).status, fetch(f"{link}&status=final").status) == (200, 403)
    assert fetch("Observation?_count=3&_page=3").status == 403


@pytest.mark.requirement("SR-15")
def test_links_show_what_was_used_at_the_configured_base(fetch: Fetch) -> None:
    answer = fetch("Observation?code=1%7C2&nonsense=3", HTTP_HOST="evil.example")

    assert answer.body["link"] == [
        {"relation": "self", "url": f"{BASE}/Observation?code=1%7C2&_count=50"},
    ]


def test_every_entry_is_addressed_by_its_full_url(search: Search) -> None:
    entry = search("Observation", "_id=lab-a").body["entry"][0]

    assert entry["fullUrl"] == f"{BASE}/Observation/lab-a"
    assert entry["search"] == {"mode": "match"}
    assert urlsplit(entry["fullUrl"]).path.endswith(entry["resource"]["id"])


@pytest.mark.parametrize(("query", "queries"), [("", 1), ("_count=3", 2), ("code=1", 1), ("_count=3&_total=none", 1)])
def test_a_search_costs_a_fixed_number_of_statements(
    fetch: Fetch, query: str, queries: int, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(queries + 1):  # and the event of the access
        fetch(f"Observation?{query}")


@pytest.mark.requirement("SD-18", "SD-27")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["code", "date", "patient", "subject:identifier", "category:not", "_id", "_count", "_format"])
    | st.text(max_size=12),
    value=st.text(max_size=30)
    | st.from_regex(r"[a-z]{0,2}[0-9]{1,5}(-[0-9]{1,3}){0,2}[T:Z+\-0-9]{0,9}", fullmatch=True),
)
def test_no_parameter_is_ever_a_failure(fetch: Fetch, name: str, value: str) -> None:
    answer = fetch(f"Observation?{quote(name)}={quote(value)}")

    assert answer.status in (200, 400, 406)
    assert all(id_.endswith("-a") for id_ in answer.ids)
