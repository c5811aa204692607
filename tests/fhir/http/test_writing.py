"""What is written lies in the caller's reach before and after, and what is out of reach is as if it never was."""

import json
from typing import Any

import pytest

from fhir.models import Record
from fhir.operation_outcome import InvalidResource
from tests.fhir.conftest import BASE, Answered, Introspection
from tests.fixture_types import Fetch

pytestmark = pytest.mark.usefixtures("records")
PATCH = "application/json-patch+json"
CHANGED = [{"op": "replace", "path": "/status", "value": "amended"}]
TEXT = (
    '{"resourceType": "Observation", "status": "final", "code": {"text": "x"},'
    ' "subject": {"reference": "Patient/amy"}, "valueQuantity": {"value": 72.50}}'
)


@pytest.fixture(autouse=True)
def amy(introspection: Introspection) -> None:
    introspection.knows("patient/Observation.cruds", patient="amy")


@pytest.fixture
def write(fetch: Fetch) -> Any:
    """A write of JSON, text or content; says whether anything was stored."""

    def call(method: str, path: str, body: Any = "", **extra: Any) -> Answered:
        text = body if isinstance(body, str) else json.dumps(body)
        kind = PATCH if method == "PATCH" else "application/fhir+json"
        return fetch(path, method=method, data=text.encode(), **{"content_type": kind, **extra})

    return call


def observation(about: str | None = "Patient/amy", **members: Any) -> dict[str, Any]:
    found = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    return {**found, **({"subject": {"reference": about}} if about else {}), **members}


def stored(id_: str) -> list[str]:
    """The contents of all versions."""
    return list(Record.objects.filter(resource_id=id_).order_by("number").values_list("content", flat=True))


def everything() -> set[tuple[str, int]]:
    return set(Record.objects.values_list("resource_id", "number"))


@pytest.mark.requirement("WR-01", "IX-01", "IX-15")
def test_a_resource_is_created_with_an_id_of_the_servers_and_every_digit(write: Any, fetch: Fetch) -> None:
    answer = write("POST", "Observation", TEXT.replace('"status"', '"id": "chosen", "status"'))
    id_ = answer.body["id"]

    assert (answer.status, answer.headers["ETag"]) == (201, 'W/"1"')
    assert answer.headers["Location"] == f"{BASE}/Observation/{id_}/_history/1"
    assert id_ != "chosen"
    assert '"value": 72.50' in fetch(f"Observation/{id_}").text
    assert fetch(f"Observation?_id={id_}").ids == [id_]


@pytest.mark.requirement("WR-02", "WR-03", "WR-09")
@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"subject": {"reference": "Patient/ben"}}, id="another patient"),
        pytest.param({"subject": {"reference": "Patient/unknown"}}, id="an unknown patient"),
        pytest.param({"subject": {"reference": "Group/g"}}, id="a group"),
        pytest.param({"subject": {"identifier": {"system": "urn:records", "value": "HC-A"}}}, id="an identifier"),
        pytest.param({"subject": {"reference": "Patient/ben"}, "performer": [{"reference": "Patient/amy"}]}, id="both"),
        pytest.param({"performer": [{"reference": "Patient/ben"}]}, id="another performer"),
        pytest.param({"subject": {}}, id="nobody"),
    ],
)
def test_nothing_is_created_outside_the_reach(write: Any, members: dict[str, Any]) -> None:
    before = everything()

    answer = write("POST", "Observation", observation(**members))

    assert (answer.status, answer.body["issue"][0]["code"], everything()) == (403, "forbidden", before)


@pytest.mark.requirement("WR-09")
def test_no_patient_is_created_by_a_patients_app(write: Any, introspection: Introspection) -> None:
    introspection.knows("patient/*.cruds", patient="amy")

    for id_ in ("amy", "new"):
        assert write("POST", "Patient", {"resourceType": "Patient", "id": id_}).status == 403


@pytest.mark.requirement("IX-05", "WR-04")
def test_an_update_is_the_next_version_and_moves_nothing_out_of_reach(write: Any, fetch: Fetch) -> None:
    updated = write("PUT", "Observation/lab-a", observation(id="lab-a", status="amended"))
    moved = [
        write("PUT", "Observation/lab-a", observation(subject, id="lab-a"))
        for subject in ("Patient/ben", "Group/g", None)
    ]

    assert (updated.status, updated.headers["ETag"], updated.body["status"]) == (200, 'W/"2"', "amended")
    assert updated.headers["Content-Location"] == f"{BASE}/Observation/lab-a/_history/2"
    assert [answer.status for answer in moved] == [403] * 3
    assert len(stored("lab-a")) == 2
    assert fetch("Observation?status=amended").ids == ["lab-a"]
    assert fetch("Observation?status=final&_id=lab-a").ids == []


@pytest.mark.requirement("WR-05", "WR-08", "HI-01")
@pytest.mark.requirement("IX-06", "IX-17", "IX-18")
@pytest.mark.requirement("HI-02")
@pytest.mark.parametrize("sent", [{}, {"HTTP_IF_MATCH": 'W/"1"'}, {"HTTP_IF_MATCH": 'W/"9"'}])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_is_anothers_is_answered_as_what_never_was(write: Any, method: str, sent: dict[str, str]) -> None:
    before = everything()
    bodies: dict[str, Any] = {"PUT": observation(), "PATCH": [{"op": "remove", "path": "/code"}], "DELETE": ""}
    hidden_body, unknown_body = (
        {**bodies[method], "id": id_} if method == "PUT" else bodies[method] for id_ in ("lab-b", "never")
    )

    hidden = write(method, "Observation/lab-b", hidden_body, **sent)
    unknown = write(method, "Observation/never", unknown_body, **sent)

    assert hidden.alike == unknown.alike
    assert (hidden.status, everything()) == (404, before)


def test_if_match_names_the_version_that_is_replaced(write: Any) -> None:
    body = observation(id="lab-a")

    assert write("PUT", "Observation/lab-a", body, HTTP_IF_MATCH='W/"2"').status == 412
    assert write("DELETE", "Observation/lab-a", HTTP_IF_MATCH='W/"2"').status == 412
    assert len(stored("lab-a")) == 1
    assert write("PUT", "Observation/lab-a", body, HTTP_IF_MATCH='W/"1"').status == 200
    assert write("PUT", "Observation/lab-a", body, HTTP_IF_MATCH='W/"1"').status == 412
    assert len(stored("lab-a")) == 2


@pytest.mark.requirement("IX-08", "HV-04")
def test_what_is_deleted_is_gone_and_found_no_more(write: Any, fetch: Fetch) -> None:
    answers = [write("DELETE", "Observation/lab-a") for _ in range(2)]

    assert [answer.status for answer in answers] == [204, 204]
    assert (fetch("Observation/lab-a").status, len(stored("lab-a"))) == (410, 2)
    assert fetch("Observation?_id=lab-a").body["total"] == 0
    assert fetch("Observation/lab-a/_history/1").status == 200
    assert write("PUT", "Observation/lab-a", observation(id="lab-a")).status == 410


@pytest.mark.requirement("WR-14")
def test_nothing_else_is_deleted_along_with_a_patient(write: Any, fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("system/*.cruds", sub="demo-backend", client_id="demo-backend")

    for along in ("_cascade=delete", "_revinclude=Observation:subject", "_INCLUDE:iterate=Patient:organization"):
        assert write("DELETE", f"Patient/amy?{along}").status == 400
    assert write("DELETE", "Patient/amy").status == 204
    assert [fetch(path).status for path in ("Patient/amy", "Observation/lab-a")] == [410, 200]


@pytest.mark.requirement("IX-07", "WR-06")
def test_a_patch_is_judged_by_what_it_leaves(write: Any, fetch: Fetch) -> None:
    def patch(path: str, value: Any) -> int:
        found: int = write("PATCH", "Observation/lab-a", [{"op": "replace", "path": path, "value": value}]).status
        return found

    assert patch("/status", "amended") == 200
    assert '"value": 5.30' in fetch("Observation/lab-a").text
    assert patch("/subject/reference", "Patient/ben") == 403
    assert [patch("/id", "other"), patch("/resourceType", "Patient"), patch("/no/such", 1)] == [422] * 3
    assert len(stored("lab-a")) == 2


@pytest.mark.requirement("WR-06", "GR-15")
def test_a_narrow_scope_writes_only_what_stays_in_it(write: Any, introspection: Introspection) -> None:
    introspection.knows("patient/Observation.cruds?status=final", patient="amy")

    assert write("POST", "Observation", observation()).status == 201
    assert write("POST", "Observation", observation(status="amended")).status == 403
    assert write("PUT", "Observation/lab-a", observation(id="lab-a", status="amended")).status == 403
    introspection.knows("patient/Observation.cruds?status=amended", patient="amy")
    assert write("PUT", "Observation/lab-a", observation(id="lab-a", status="amended")).status == 404


@pytest.mark.requirement("WR-07", "IX-16")
def test_who_may_change_but_not_read_learns_nothing_by_a_patch(write: Any, introspection: Introspection) -> None:
    introspection.knows("patient/Observation.u", patient="amy")
    guess = [
        {"op": "test", "path": "/status", "value": "final"},
        {"op": "replace", "path": "/status", "value": "amended"},
    ]

    for op in ({"op": "test", "value": "final"}, {"op": "copy", "from": "/code"}, {"op": "move", "from": "/code"}):
        assert write("PATCH", "Observation/lab-a", [{"path": "/status", **op}]).status == 403
    assert write("PATCH", "Observation/lab-a", guess).status == 403
    answer = write("PATCH", "Observation/lab-a", guess[1:])
    assert (answer.status, answer.text) == (200, "")


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        '[{"op": "add"}]',
        '[{"op": "x", "path": "/a"}]',
        '[{"op": "add", "path": "a", "value": 1}]',
        "[7]",
        '[{"op": "replace", "path": "", "value": 7}]',
        '[{"op": "add", "path": "", "value": ["a"]}]',
        json.dumps([{"op": "copy", "from": "", "path": "/extension"}] * 100),  # each doubles what is there
    ],
)
def test_what_is_no_patch_changes_nothing(write: Any, body: str) -> None:
    assert write("PATCH", "Observation/lab-a", body).status in (400, 422)
    assert len(stored("lab-a")) == 1


@pytest.mark.requirement("US-03")
@pytest.mark.parametrize(
    ("fhir_user", "status"),
    [("Practitioner/dr-green", 201), ("PractitionerRole/x", 201), ("RelatedPerson/carol", 403), ("Patient/amy", 403)],
)
def test_by_scopes_of_the_user_only_a_practitioner_writes(
    write: Any, fetch: Fetch, introspection: Introspection, fhir_user: str, status: int
) -> None:
    person = {"fhirUser": f"{BASE}/{fhir_user}", "__patients": ["amy"]}
    introspection.knows("user/*.cruds", **person)
    before = everything()

    answer = write("POST", "Observation", observation())
    assert (answer.status, "WWW-Authenticate" in answer.headers) == (status, False)  # no other scope would help
    assert fetch("Observation/lab-a").status == 200
    assert len(everything() - before) == (status == 201)
    if status == 403:
        assert {write(method, "Observation/lab-a").status for method in ("PUT", "PATCH", "DELETE")} == {403}
        introspection.knows("user/*.cruds patient/Observation.c", patient="amy", **person)
        assert write("POST", "Observation", observation()).status == 201  # what the app may do for the patient


@pytest.mark.requirement("WR-10", "HI-03")
def test_a_conditional_create_sees_only_what_the_caller_could_find(write: Any) -> None:
    own, other, none = ({"HTTP_IF_NONE_EXIST": f"_id={id_}"} for id_ in ("lab-a", "lab-b", "never"))

    answers = [write("POST", "Observation", observation(), **condition) for condition in (own, other, none)]

    assert [answer.status for answer in answers] == [200, 201, 201]
    assert answers[0].body["id"] == "lab-a"
    assert write("POST", "Observation", observation(), HTTP_IF_NONE_EXIST="_id=lab-a,vital-a").status == 412


@pytest.mark.requirement("WR-11", "V1-08")
def test_a_condition_wants_the_right_to_search(write: Any, introspection: Introspection) -> None:
    introspection.knows("patient/Observation.crud", patient="amy")
    before = everything()

    assert write("POST", "Observation", observation(), HTTP_IF_NONE_EXIST="_id=lab-a").status == 403
    assert [write(method, "Observation?_id=lab-a", observation()).status for method in ("PUT", "DELETE")] == [403] * 2
    assert everything() == before


@pytest.mark.requirement("WR-12", "WR-13")
def test_a_conditional_write_counts_only_what_the_caller_could_find(write: Any) -> None:
    one, two, nobody = "_id=lab-a,lab-b", "_id=lab-a,vital-a", "_id=lab-b"

    assert write("PUT", f"Observation?{two}", observation()).status == 412
    assert write("DELETE", f"Observation?{nobody}").alike == write("DELETE", "Observation?_id=never").alike
    assert write("PUT", f"Observation?{nobody}", observation()).status == 201
    assert len(stored("lab-b")) == 1
    assert write("PUT", f"Observation?{one}", observation()).body["id"] == "lab-a"
    assert write("PATCH", f"Observation?{one}", CHANGED).body["meta"]["versionId"] == "3"
    assert write("DELETE", f"Observation?{one}").status == 204
    assert (len(stored("lab-a")), len(stored("lab-b"))) == (4, 1)
    for criteria in ("", "?", "?nonsense=1", "?_id="):
        assert write("DELETE", f"Observation{criteria}").status == 400


@pytest.mark.requirement("SD-18", "SD-20")
@pytest.mark.parametrize(
    ("body", "extra", "status"),
    [
        pytest.param("", {}, 415, id="nothing"),
        pytest.param(" ", {}, 400, id="a space"),
        pytest.param("[]", {}, 400, id="an array"),
        pytest.param('{"resourceType": "Patient"}', {}, 400, id="another type"),
        pytest.param(
            '{"resourceType": "Observation", "status": "x", "subject": {"reference": "Patient/amy"}}',
            {},
            400,
            id="no Observation of this version",
        ),
        pytest.param('{"resourceType": "Observation", "meta": 7}', {}, 400, id="meta a number"),
        pytest.param('{"resourceType": "Observation", "a": 1, "a": 2}', {}, 400, id="a member twice"),
        pytest.param('{"resourceType": "Observation", "a": NaN}', {}, 400, id="NaN"),
        pytest.param('{"resourceType": "Observation", "a": "\\ud800"}', {}, 400, id="half a character"),
        pytest.param('{"resourceType": "Observation", "a": ' + "[" * 100 + "]" * 100 + "}", {}, 400, id="deep"),
        pytest.param('{"resourceType": "Observation", "a": ' + "[" * 99999 + "]" * 99999 + "}", {}, 400, id="deeper"),
        pytest.param(TEXT, {"content_type": "text/plain"}, 415, id="text"),
        pytest.param(TEXT, {"content_type": "application/fhir+xml"}, 415, id="XML"),
        pytest.param(TEXT, {"content_type": "application/fhir+json; fhirVersion=3.0"}, 415, id="another version"),
        pytest.param(TEXT, {"content_type": PATCH}, 415, id="a patch"),
        pytest.param(TEXT, {"HTTP_TRANSFER_ENCODING": "chunked"}, 411, id="of unknown length"),
        pytest.param(TEXT + " " * 1_048_577, {}, 413, id="too large"),
    ],
)
def test_what_is_no_resource_stores_nothing(write: Any, body: str, extra: dict[str, str], status: int) -> None:
    before = everything()

    answer = write("POST", "Observation", body, **extra)

    assert (answer.status, everything()) == (status, before)
    assert answer.body["resourceType"] == "OperationOutcome"


def test_an_update_is_about_the_resource_that_the_url_names(write: Any) -> None:
    for body in (observation(), observation(id="vital-a"), observation(id=7)):
        assert write("PUT", "Observation/lab-a", body).status == 400
    assert len(stored("lab-a")) == 1


def test_the_caller_may_prefer_less(write: Any) -> None:
    answer = write("POST", "Observation", TEXT, HTTP_PREFER="return=minimal")

    assert (answer.status, answer.text, answer.headers["ETag"]) == (201, "", 'W/"1"')


def test_a_write_costs_a_fixed_number_of_statements(write: Any, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(12):  # one of them is its event
        write("PUT", "Observation/lab-a", observation(id="lab-a"))


@pytest.mark.requirement("SD-13")
@pytest.mark.parametrize(
    ("member", "path"),
    [("expression", "Observation.component[0].code"), ("location", "/f:Observation/f:component[1]/f:code")],
)
def test_what_is_wrong_is_named_as_the_version_names_it(member: str, path: str) -> None:
    refused = InvalidResource([("Observation.component[0].code", "required", "It must be there.")], member)
    issue = {"severity": "error", "code": "required", "diagnostics": "It must be there.", member: [path]}
    assert json.loads(refused.outcome())["issue"] == [issue]


@pytest.mark.requirement("SD-13")
def test_what_is_no_resource_of_the_version_is_not_stored_and_the_path_is_told(write: Any) -> None:
    before = everything()

    answer = write("PUT", "Observation/lab-a", observation(status="x", id="lab-a"))

    assert (answer.status, everything()) == (400, before)
    assert [(one["code"], one["expression"]) for one in answer.body["issue"]] == [
        ("code-invalid", ["Observation.status"])
    ]
