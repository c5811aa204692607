"""Each change is a version, and each version is judged by what it held."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fhir.models import Record
from fhir.store import lookup
from fhir.store.versions import add_versions, first_version, successor
from tests.fhir.conftest import BASE, Introspection
from tests.fixture_types import Fetch

pytestmark = pytest.mark.usefixtures("records")
THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def amy(introspection: Introspection) -> None:
    introspection.knows("patient/*.rs", patient="amy")


def observation(id_: str, subject: str) -> str:
    return json.dumps({"resourceType": "Observation", "id": id_, "status": "final", "subject": {"reference": subject}})


def stored(id_: str, *subjects: str, deleted: bool = False) -> Record:
    """An observation whose versions were about these patients, one after the other, the last of them deleted."""
    record = first_version("r4", "Observation", id_, observation(id_, subjects[0]), THEN)
    assert add_versions([record])
    for place, subject in enumerate(subjects[1:], 1):
        record = changed(record, observation(id_, subject), THEN + timedelta(hours=place))
    return changed(record, record.content, THEN + timedelta(days=1), is_deleted=True) if deleted else record


def changed(record: Record, text: str, moment: datetime, *, is_deleted: bool = False) -> Record:
    after = successor(record, text, moment, is_deleted=is_deleted)
    assert add_versions([after], [record])
    return after


def numbers(answer: Any) -> list[str]:
    return [entry["response"]["etag"] for entry in answer.body.get("entry", [])]


def test_a_read_tells_version_and_moment(fetch: Fetch) -> None:
    stored("o", "Patient/amy", "Patient/amy")

    answer = fetch("Observation/o")

    assert (answer.headers["ETag"], answer.headers["Last-Modified"]) == ('W/"2"', "Fri, 02 Jan 2026 04:04:05 GMT")
    assert answer.body["meta"] == {"versionId": "2", "lastUpdated": "2026-01-02T04:04:05.000+00:00"}
    assert fetch("Observation/o/_history/1").body["meta"]["versionId"] == "1"


def test_a_history_is_there_however_many_versions_it_has(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    stored("o", "Patient/amy", "Patient/amy", "Patient/amy")
    monkeypatch.setattr(lookup, "MAX_COUNTED", 2)

    answer = fetch("Observation/o/_history?_count=1")

    assert (answer.status, numbers(answer), "total" in answer.body) == (200, ['W/"3"'], False)


@pytest.mark.requirement("HV-01", "HV-02", "HV-06")
def test_a_version_that_was_anothers_is_hidden_and_one_that_was_the_own_is_not(fetch: Fetch) -> None:
    stored("moved-in", "Patient/ben", "Patient/amy")
    stored("moved-out", "Patient/amy", "Patient/ben")
    unknown = fetch("Observation/unknown/_history/1")

    assert [fetch(f"Observation/moved-in{rest}").status for rest in ("", "/_history/2")] == [200, 200]
    assert numbers(fetch("Observation/moved-in/_history")) == ['W/"2"']
    assert fetch("Observation/moved-out/_history/1").status == 200
    assert numbers(fetch("Observation/moved-out/_history")) == ['W/"1"']
    for hidden in ("moved-in/_history/1", "moved-in/_history/3", "moved-out/_history/2", "lab-b/_history/1"):
        assert fetch(f"Observation/{hidden}").alike == unknown.alike
    assert fetch("Observation/moved-out").alike == unknown.alike
    assert fetch("Observation/lab-b/_history").alike == fetch("Observation/unknown/_history").alike


@pytest.mark.parametrize("number", ["0", "01", "-1", "1.0", "x", "9" * 30, "%D9%A1"])
def test_only_the_number_of_a_version_is_that_version(fetch: Fetch, number: str) -> None:
    assert fetch(f"Observation/lab-a/_history/{number}").status == 404


@pytest.mark.requirement("GR-09")
def test_each_version_is_judged_by_its_own_category(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("patient/Observation.rs?status=amended", patient="amy")
    record = stored("o", "Patient/amy")
    changed(record, record.content.replace("final", "amended"), THEN)

    assert [fetch(f"Observation/o/_history/{number}").status for number in (1, 2)] == [404, 200]
    assert numbers(fetch("Observation/o/_history")) == ['W/"2"']


@pytest.mark.requirement("HV-03", "HV-04")
def test_a_deletion_is_told_to_who_could_read_what_was_there(fetch: Fetch) -> None:
    stored("gone-a", "Patient/amy", deleted=True)
    stored("gone-b", "Patient/ben", deleted=True)

    own, other = fetch("Observation/gone-a"), fetch("Observation/gone-b")
    entries = fetch("Observation/gone-a/_history").body["entry"]

    assert (own.status, own.body["issue"][0]["code"], fetch("Observation/gone-a/_history/2").status) == (
        410,
        "deleted",
        410,
    )
    assert other.alike == fetch("Observation/unknown").alike
    assert [entry["request"]["method"] for entry in entries] == ["DELETE", "POST"]
    assert ["resource" in entry for entry in entries] == [False, True]
    assert fetch("Observation/gone-b/_history").status == 404
    assert "gone-b" not in fetch("Observation/_history?_count=200").text
    assert "gone-a" not in fetch("Observation").text


@pytest.mark.requirement("IX-10", "HV-03", "SR-24")
def test_the_history_of_a_type_holds_the_own_versions_only_and_counts_them(fetch: Fetch) -> None:
    stored("o", "Patient/ben", "Patient/amy", "Patient/amy")

    whole, first = fetch("Observation/_history?_count=200"), fetch("Observation/_history?_count=1")
    since = fetch("Observation/_history?_since=2026-01-02T04:30:00Z&_count=200")

    assert whole.body["total"] == len(whole.ids) == first.body["total"] == 10
    assert not [id_ for id_ in whole.ids if id_.endswith("-b")]
    assert since.body["total"] == 9
    assert [link["relation"] for link in first.body["link"]] == ["self", "next"]
    second = fetch(first.body["link"][1]["url"].removeprefix(f"{BASE}/"))
    assert (second.status, len(second.ids)) == (200, 1)
    assert second.body["entry"] != first.body["entry"]
    assert [fetch(f"Observation/_history?{bad}").status for bad in ("_since=x", "_at=2026", "_count=x")] == [400] * 3


@pytest.mark.requirement("HV-05")
def test_what_is_known_already_is_304_and_what_is_hidden_never(fetch: Fetch) -> None:
    stored("o", "Patient/amy")
    since = "Fri, 02 Jan 2026 03:04:05 GMT"

    known = [{"HTTP_IF_NONE_MATCH": 'W/"1"'}, {"HTTP_IF_NONE_MATCH": '"0", "1"'}, {"HTTP_IF_MODIFIED_SINCE": since}]
    unknown = [
        {"HTTP_IF_NONE_MATCH": 'W/"2"'},
        {"HTTP_IF_MODIFIED_SINCE": "Fri, 02 Jan 2026 03:04:04 GMT"},
        {"HTTP_IF_MODIFIED_SINCE": "soon"},
    ]

    assert [fetch("Observation/o", **sent).status for sent in known] == [304] * 3
    assert [fetch("Observation/o", **sent).status for sent in unknown] == [200] * 3
    for sent in known:
        assert fetch("Observation/lab-b", **sent).alike == fetch("Observation/unknown", **sent).alike
        assert fetch("Observation/lab-b", **sent).status == 404


def test_a_read_costs_one_introspection_and_two_statements(
    fetch: Fetch, introspection: Introspection, django_assert_num_queries: Any
) -> None:
    for path in ("Observation/lab-a", "Observation/lab-a/_history/1", "Observation/lab-a/_history"):
        before = len(introspection.asked)
        with django_assert_num_queries(2):  # the second is the event of the access
            assert fetch(path).status == 200
        assert len(introspection.asked) - before == 1


def test_who_comes_second_changes_nothing() -> None:
    record = stored("o", "Patient/amy")
    first, second = (successor(record, observation("o", "Patient/amy"), THEN) for _ in range(2))

    assert [add_versions([first], [record]), add_versions([second], [record])] == [True, False]
    assert Record.objects.filter(resource_id="o").count() == 2
