"""Each entry of a batch is decided by itself; a transaction stores all or nothing."""

import json
from base64 import b64encode
from typing import Any

import pytest

from fhir.http import interaction
from fhir.models import Record
from tests.fhir.conftest import BASE, Answered, Introspection
from tests.fixture_types import Fetch

pytestmark = pytest.mark.usefixtures("records")


@pytest.fixture(autouse=True)
def amy(introspection: Introspection) -> None:
    introspection.knows("patient/Observation.cruds patient/Patient.rs", patient="amy")


@pytest.fixture
def post(fetch: Fetch) -> Any:
    """A Bundle posted to the base."""

    def call(*entries: Any, kind: str = "batch", **extra: Any) -> Answered:
        body = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
        return fetch("", method="POST", data=json.dumps(body).encode(), content_type="application/fhir+json", **extra)

    return call


def entry(method: str, url: str, resource: Any = None, full_url: str = "", **conditions: str) -> dict[str, Any]:
    found: dict[str, Any] = {"request": {"method": method, "url": url, **conditions}}
    if resource is not None:
        found["resource"] = resource
    return {**found, **({"fullUrl": full_url} if full_url else {})}


def observation(subject: str = "Patient/amy", **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": subject},
        **members,
    }


def statuses(answer: Answered) -> list[str]:
    return [one["response"]["status"] for one in answer.body["entry"]]


def everything() -> set[tuple[str, int]]:
    return set(Record.objects.values_list("resource_id", "number"))


@pytest.mark.requirement("BT-01", "BT-03")
def test_each_entry_of_a_batch_is_answered_as_if_it_had_come_alone(post: Any, fetch: Fetch) -> None:
    urls = [
        "Observation/lab-a",
        "Observation/lab-b",
        "Observation/never",
        "Condition/problem-a",
        "Observation?patient=ben",
    ]
    urls += ["Patient/ben/$everything", "Observation/lab-a/_history/1", "Patient?_has:Observation:patient:nonsense=1"]

    answer = post(*(entry("GET", url) for url in urls))

    assert (answer.status, answer.body["type"]) == (200, "batch-response")
    assert statuses(answer) == ["200", "404", "404", "403", "200", "404", "200", "400"]
    shown = answer.body["entry"]
    assert shown[0]["resource"] == fetch("Observation/lab-a").body
    assert shown[1] == shown[2]
    assert {one["resource"]["id"] for one in shown[4]["resource"]["entry"]} == {"performed-a"}
    assert "lab-b" not in answer.text


def test_a_batch_costs_one_introspection_and_each_refusal_stays_its_own(
    post: Any, introspection: Introspection
) -> None:
    answer = post(entry("POST", "Observation", observation("Patient/ben")), entry("POST", "Observation", observation()))

    assert statuses(answer) == ["403", "201"]
    assert answer.body["entry"][0]["response"]["outcome"]["issue"][0]["code"] == "forbidden"
    assert len(introspection.asked) == 1


@pytest.mark.requirement("BT-06", "BT-07")
@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(entry("POST", "", {"resourceType": "Bundle", "type": "batch"}), id="nested batch"),
        pytest.param(entry("GET", "https://other.example/fhir/Observation/lab-a"), id="another host"),
        pytest.param(entry("GET", f"{BASE}/Observation/lab-a"), id="an absolute URL"),
        pytest.param(entry("GET", "//other.example/x"), id="another host without scheme"),
        pytest.param(entry("GET", "Observation/lab-a", full_url="https://other.example/x"), id="foreign fullUrl"),
        pytest.param(entry("GET", "metadata"), id="metadata"),
        pytest.param(entry("POST", "Observation/_search"), id="search by POST"),
        pytest.param(entry("TRACE", "Observation"), id="an unknown method"),
        pytest.param(entry("POST", "Observation"), id="no resource"),
        pytest.param(entry("POST", "Observation", 7), id="a number for a resource"),
        pytest.param(entry("PATCH", "Observation/lab-a", observation()), id="a patch that is none"),
        pytest.param({"request": {"method": "GET", "url": 7}}, id="a number for a URL"),
        pytest.param({"request": {"method": "PUT", "url": "Observation/lab-a", "ifMatch": 7}}, id="a number for a tag"),
        pytest.param({}, id="no request"),
        pytest.param(7, id="a number"),
    ],
)
def test_what_no_batch_may_hold_is_refused_and_the_rest_is_done(post: Any, bad: Any) -> None:
    before = everything()

    answer = post(bad, entry("GET", "Observation/lab-a"))
    whole = post(bad, entry("DELETE", "Observation/lab-a"), kind="transaction")

    assert statuses(answer)[0] in ("400", "404")
    assert statuses(answer)[1] == "200"
    assert whole.status in (400, 404)
    assert everything() == before


@pytest.mark.requirement("BT-06")
@pytest.mark.parametrize("kind", ["document", "message", "collection", "searchset", "", 7])
def test_only_batch_and_transaction_are_executed(post: Any, kind: Any) -> None:
    before = everything()

    assert post(entry("DELETE", "Observation/lab-a"), kind=kind).status == 400
    assert everything() == before


@pytest.mark.requirement("BT-06", "TV-27")
@pytest.mark.parametrize("path", ["", "Observation", "Patient/amy/$everything"])
def test_what_is_posted_and_no_resource_is_refused_at_every_door(fetch: Fetch, path: str) -> None:
    for body in ("[]", "null", "7", '"Bundle"', "{", '{"resourceType": 7}', '{"type": {}}'):
        answer = fetch(path, method="POST", data=body.encode(), content_type="application/fhir+json")

        assert (answer.status, answer.body["resourceType"]) == (400, "OperationOutcome"), body


def test_a_batch_is_bounded(post: Any, fetch: Fetch) -> None:
    assert post(*[entry("GET", "Observation/never")] * 101).status == 400
    assert len(post(*[entry("GET", "Observation/never")] * 100).body["entry"]) == 100
    assert post(observation(text="x" * 1_048_577)).status == 413
    assert fetch("", method="PUT").status == 405
    assert fetch("", method="POST", token=None).status == 401


@pytest.mark.requirement("SD-20")
def test_what_one_request_changes_has_a_bound_however_small_what_it_sends(
    post: Any, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, vital = (len(Record.objects.get(resource_id=id_).content) for id_ in ("lab-a", "vital-a"))
    monkeypatch.setattr(interaction, "MAX_CHANGED", lab + vital - 1)
    data = b64encode(b'[{"op": "replace", "path": "/status", "value": "amended"}]').decode()
    patch = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}
    writes = {
        "PATCH": [entry("PATCH", f"Observation/{id_}", patch) for id_ in ("lab-a", "vital-a")],
        "PUT": [entry("PUT", f"Observation/{id_}", observation(id=id_)) for id_ in ("lab-a", "vital-a")],
        "DELETE": [entry("DELETE", f"Observation/{id_}") for id_ in ("lab-a", "vital-a")],
    }
    before = everything()
    for method, entries in writes.items():
        refused = post(*entries, kind="transaction")
        (issue,) = refused.body["issue"]
        assert (refused.status, issue["code"], everything()) == (400, "too-costly", before), method
        assert "too large together" in issue["diagnostics"]

    answer = post(*writes["DELETE"], entry("GET", "Observation/none-a"))

    assert statuses(answer) == ["204", "400", "200"]
    assert fetch("Observation/vital-a", method="DELETE").status == 204  # each request begins anew


@pytest.mark.requirement("SD-20")
def test_what_a_patch_makes_longer_counts_as_well(post: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = len(Record.objects.get(resource_id="lab-a").content)
    monkeypatch.setattr(interaction, "MAX_CHANGED", lab + 1000)
    longer = {"op": "add", "path": "/code/text", "value": "x" * 2000}
    data = b64encode(json.dumps([longer]).encode()).decode()
    patch = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}

    assert statuses(post(entry("PATCH", "Observation/lab-a", patch))) == ["400"]

    monkeypatch.setattr(interaction, "MAX_CHANGED", lab + 3000)
    assert statuses(post(entry("PATCH", "Observation/lab-a", patch))) == ["200"]


@pytest.mark.requirement("SD-20")
def test_one_resource_that_is_longer_than_the_bound_can_be_made_shorter_and_deleted(
    post: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interaction, "MAX_CHANGED", 10)
    shorter = {"resourceType": "Binary", "contentType": "application/json-patch+json"}
    shorter["data"] = b64encode(b'[{"op": "remove", "path": "/category"}]').decode()

    assert statuses(post(entry("PATCH", "Observation/lab-a", shorter))) == ["200"]
    assert statuses(post(entry("DELETE", "Observation/lab-a"))) == ["204"]


@pytest.mark.requirement("BT-02")
@pytest.mark.parametrize(
    ("bad", "status"),
    [
        pytest.param(entry("GET", "Observation/lab-b"), 404, id="reads another's"),
        pytest.param(entry("PUT", "Observation/lab-b", observation(id="lab-b")), 404, id="changes another's"),
        pytest.param(entry("POST", "Observation", observation("Patient/ben")), 403, id="creates another's"),
        pytest.param(entry("GET", "Condition/problem-a"), 403, id="without a scope"),
        pytest.param(entry("DELETE", "Observation/vital-a", ifMatch='W/"9"'), 412, id="of another version"),
    ],
)
def test_a_transaction_with_one_entry_that_fails_stores_nothing(post: Any, bad: Any, status: int) -> None:
    before = everything()
    good = [entry("POST", "Observation", observation()), entry("DELETE", "Observation/lab-a")]

    answer = post(good[0], bad, good[1], kind="transaction")

    assert (answer.status, answer.body["resourceType"]) == (status, "OperationOutcome")
    assert everything() == before
    assert "lab-b" not in answer.text
    assert "ben" not in answer.text


def test_a_transaction_is_done_in_its_order_and_answered_in_that_of_its_entries(post: Any) -> None:
    patch = b64encode(json.dumps([{"op": "replace", "path": "/status", "value": "amended"}]).encode()).decode()
    binary = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": patch}

    answer = post(
        entry("GET", "Observation?_id=lab-a,vital-a,both-a"),
        entry("PATCH", "Observation/both-a", binary),
        entry("PUT", "Observation/vital-a", observation(id="vital-a"), ifMatch='W/"1"'),
        entry("POST", "Observation", observation()),
        entry("DELETE", "Observation/lab-a"),
        kind="transaction",
    )

    assert (answer.status, answer.body["type"]) == (200, "transaction-response")
    assert statuses(answer) == ["200", "200", "200", "201", "204"]
    assert {one["resource"]["id"] for one in answer.body["entry"][0]["resource"]["entry"]} == {"vital-a", "both-a"}
    assert answer.body["entry"][1]["resource"]["status"] == "amended"
    assert answer.body["entry"][2]["response"]["etag"] == 'W/"2"'
    assert answer.body["entry"][3]["response"]["location"].startswith(f"{BASE}/Observation/")


def test_entries_link_to_each_other(post: Any, introspection: Introspection) -> None:
    introspection.knows("system/*.cruds", sub="demo-backend", client_id="demo-backend")
    patient, found = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "urn:uuid:7c3151bd-1cbf-4d64-b04d-cd9187a4c6e1"
    known = {"resourceType": "Encounter", "status": "planned", "class": {"code": "AMB"}}

    answer = post(
        entry(
            "POST", "Observation", observation(patient, encounter={"reference": found}, valueQuantity={"value": 1.10})
        ),
        entry("POST", "Patient", {"resourceType": "Patient"}, patient),
        entry("POST", "Encounter", known, found, ifNoneExist="_id=visit-a"),
        kind="transaction",
    )

    made, person = answer.body["entry"][0]["resource"], answer.body["entry"][1]["resource"]
    assert statuses(answer) == ["201", "201", "200"]
    assert made["subject"] == {"reference": f"Patient/{person['id']}"}
    assert made["encounter"] == {"reference": "Encounter/visit-a"}


@pytest.mark.requirement("BT-04", "BT-05")
@pytest.mark.parametrize(
    "subject", ["urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "Patient?identifier=urn:records|HC-B"]
)
def test_no_link_leads_out_of_the_reach(post: Any, introspection: Introspection, subject: str) -> None:
    introspection.knows("patient/*.cruds", patient="amy")
    before = everything()
    person = entry("POST", "Patient", {"resourceType": "Patient"}, "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0")

    with_person = post(person, entry("POST", "Observation", observation(subject)), kind="transaction")
    alone = post(entry("POST", "Observation", observation(subject)), kind="transaction")

    assert with_person.status == 403
    assert alone.status in (400, 403)
    assert everything() == before


def test_a_transaction_names_a_resource_once(post: Any) -> None:
    twice = [entry("PUT", "Observation/lab-a", observation(id="lab-a")), entry("DELETE", "Observation/lab-a")]
    before = everything()

    assert post(*twice, kind="transaction").status == 400
    assert everything() == before
