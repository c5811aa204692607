"""Every access and every refusal is an event, written with what it tells about, and holds references alone."""

import json
from typing import Any

import pytest
from django.db import OperationalError

from fhir.audit.models import WaitingEvent
from fhir.audit.strangers import Strangers
from fhir.http import accesses
from fhir.models import Record
from tests.fhir.conftest import BASE, Introspection
from tests.fixture_types import Fetch

pytestmark = [pytest.mark.usefixtures("records", "nothing_waits"), pytest.mark.requirement("SD-10")]

CANARY = "Zephyrine-canary"
CREATED = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": CANARY},
    "subject": {"reference": "Patient/amy"},
}
JSON = "application/fhir+json"


@pytest.fixture(autouse=True)
def token(introspection: Introspection) -> None:
    introspection.knows(
        "patient/*.cruds", patient="amy", sub="u-77", client_id="app-9", fhirUser=f"{BASE}/RelatedPerson/carol"
    )


def events() -> list[dict[str, Any]]:
    return [json.loads(facts) for facts in WaitingEvent.objects.order_by("pk").values_list("facts", flat=True)]


def event() -> dict[str, Any]:
    (one,) = events()
    return one


def names(told: dict[str, Any]) -> list[str]:
    return [reference for reference, _ in told["records"]]


def test_a_read_names_who_asked_from_where_and_what_was_shown(fetch: Fetch) -> None:
    fetch("Observation/lab-a", REMOTE_ADDR="203.0.113.9")

    told = event()
    assert names(told) == ["Observation/lab-a/_history/1"]
    assert {
        **{name: told[name] for name in ("client", "person", "own_record", "patient", "address")},
        **{name: told[name] for name in ("interaction", "status", "version", "base", "target")},
    } == {
        "client": "app-9", "person": "u-77", "own_record": "RelatedPerson/carol", "patient": "amy",
        "address": "203.0.113.9", "interaction": "read", "status": 200, "version": "r4", "base": BASE,
        "target": "Observation/lab-a",
    }  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "Observation", "Observation?_count=2", "Observation?_include=Observation:subject",
        "Patient?_revinclude=Observation:subject", "Observation/lab-a", "Observation/lab-a/_history/1",
        "Observation/lab-a/_history", "Observation/_history", "Observation?_elements=status",
        "?_type=Observation,Condition", "Patient/amy/Observation", "Patient/amy/*", "_history",
        "Patient/amy/$everything", "Patient/$everything?_count=3",
    ],
)  # fmt: skip
def test_an_event_names_every_record_that_the_answer_holds(fetch: Fetch, path: str) -> None:
    body = fetch(path).body

    shown = [entry["resource"] for entry in body["entry"]] if body["resourceType"] == "Bundle" else [body]
    assert shown
    assert names(event()) == [f"{one['resourceType']}/{one['id']}/_history/{one['meta']['versionId']}" for one in shown]


def test_each_entry_of_a_batch_is_an_event_and_the_batch_is_none(fetch: Fetch) -> None:
    requests = [("GET", "Observation/lab-a"), ("GET", "Observation/lab-b"), ("DELETE", "Observation/lab-a"), ("GET", 7)]
    entries = [{"request": {"method": method, "url": url}} for method, url in requests]

    bundle = json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries})
    fetch("", method="POST", data=bundle, content_type=JSON)

    told = [(one["interaction"], one["target"], one["status"]) for one in events()]
    assert told == [
        ("read", "Observation/lab-a", 200), ("read", "Observation/lab-b", 404),
        ("delete", "Observation/lab-a", 204), ("", "", 400),
    ]  # fmt: skip


def test_a_transaction_that_fails_leaves_one_event_and_no_access(fetch: Fetch) -> None:
    entries = [
        {"request": {"method": "POST", "url": "Observation"}, "resource": CREATED},
        {"request": {"method": "GET", "url": "Observation/lab-b"}},
    ]
    bundle = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})

    assert fetch("", method="POST", data=bundle, content_type=JSON).status == 404

    assert (event()["interaction"], event()["status"]) == ("batch", 404)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "Observation/lab-b", 404), ("GET", "Observation/never-was", 404), ("GET", "Observation?code:x=y", 400),
        ("GET", "Nonsense/x", 404), ("PUT", "metadata/x", 404), ("PATCH", "Observation/lab-a/_history", 405),
        ("GET", "Observation?subject:Patient.name=x&_count=x", 400), ("POST", "Observation", 415),
    ],
)  # fmt: skip
def test_a_refusal_of_a_known_token_is_an_event(fetch: Fetch, method: str, path: str, status: int) -> None:
    assert fetch(path, method=method).status == status

    told = event()
    assert (told["status"], told["client"], told["person"], told["patient"]) == (status, "app-9", "u-77", "amy")
    assert "records" not in told


def test_a_scope_that_does_not_reach_is_an_event(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("patient/Patient.r", patient="amy")

    assert fetch("Observation/lab-a").status == 403

    assert (event()["status"], event()["target"]) == (403, "Observation/lab-a")


def test_what_is_hidden_and_what_never_was_are_told_of_alike(fetch: Fetch) -> None:
    fetch("Observation/lab-b")
    fetch("Observation/never-was")

    one, other = ({name: value for name, value in told.items() if name not in ("at", "target")} for told in events())
    assert one == other


def test_nothing_of_what_was_sent_stored_or_searched_for_is_in_an_event(fetch: Fetch) -> None:
    secret = f"{CANARY}.token"

    created = fetch("Observation", method="POST", data=json.dumps(CREATED), content_type=JSON, token=secret)
    fetch(f"Observation/{created.body['id']}", token=secret)
    fetch(f"Patient?name={CANARY}&identifier={CANARY}", token=secret)
    fetch(f"{CANARY}/{CANARY}", token=secret)
    fetch(f"Observation/x?{CANARY}={CANARY}", token=secret, HTTP_IF_NONE_MATCH=CANARY)

    assert len(events()) == 5
    assert CANARY not in json.dumps(events())


def test_what_another_server_says_is_cut_to_what_every_database_takes(
    fetch: Fetch, introspection: Introspection
) -> None:
    introspection.knows("patient/*.rs", patient="amy", client_id="a\0b\ud800" + "c" * 1000, sub=["no text"])
    fetch("Observation/lab-a")

    assert event()["client"] == "ab?" + "c" * 196
    assert event()["person"] == "['no text']"


@pytest.mark.parametrize(
    ("method", "path", "body", "writes"),
    [
        ("POST", "Observation", CREATED, ["/_history/1"]),
        ("PUT", "Observation/lab-a", {**CREATED, "id": "lab-a"}, ["Observation/lab-a/_history/2"]),
        ("PATCH", "Observation/lab-a", [{"op": "replace", "path": "/status", "value": "amended"}], ["/_history/2"]),
        ("DELETE", "Observation/lab-a", None, ["Observation/lab-a/_history/2"]),
    ],
)
def test_a_write_names_the_version_that_it_made(
    fetch: Fetch, method: str, path: str, body: Any, writes: list[str]
) -> None:
    kind = "application/json-patch+json" if method == "PATCH" else JSON
    fetch(path, method=method, data=json.dumps(body) if body else "", content_type=kind)

    told = event()
    assert told["is_written"]
    assert all(name.endswith(end) for name, end in zip(names(told), writes, strict=True))


def test_a_condition_that_finds_its_resource_writes_nothing(fetch: Fetch) -> None:
    headers = {"HTTP_IF_NONE_EXIST": "_id=lab-a"}
    fetch("Observation", method="POST", data=json.dumps(CREATED), content_type=JSON, **headers)

    assert (event()["is_written"], names(event())) == (False, ["Observation/lab-a/_history/1"])


def test_what_cannot_be_recorded_is_not_done(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(rows: Any) -> None:
        raise OperationalError("full")

    before = Record.objects.count()
    monkeypatch.setattr(accesses, "record", fail)

    read = fetch("Observation/lab-a")
    written = fetch("Observation", method="POST", data=json.dumps(CREATED), content_type=JSON)
    refused = fetch("Observation/lab-b")

    assert [read.status, written.status, refused.status] == [503, 503, 503]
    assert "lab-a" not in read.text
    assert Record.objects.count() == before


def test_a_stranger_writes_no_event_at_once(
    fetch: Fetch, introspection: Introspection, counted: Strangers, django_assert_num_queries: Any
) -> None:
    introspection.says(active=False)
    with django_assert_num_queries(0):
        for token in (None, "no.good", "no.good"):
            fetch("Observation/lab-a", token=token, REMOTE_ADDR="198.51.100.7")

    counted.flush()

    waiting = WaitingEvent.objects.get()
    told = json.loads(waiting.facts)
    assert (waiting.count, told["status"], told["address"]) == (3, 401, "198.51.100.7")
    assert not {"client", "person", "target"} & set(told)


def test_the_statement_is_for_everybody_and_no_event(fetch: Fetch, counted: Strangers) -> None:
    fetch("metadata", token=None)
    fetch("metadata", method="POST", token=None)
    counted.flush()

    assert events() == []
