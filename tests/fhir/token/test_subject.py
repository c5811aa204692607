"""What a live token allows at a FHIR server (smart.decisions): its audience, end and scopes, and who it speaks for."""

import time
from typing import Any

import pytest

from tests.fhir.conftest import BASE, Introspection
from tests.fixture_types import Fetch, Search

pytestmark = [pytest.mark.one_engine, pytest.mark.usefixtures("records")]
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


@pytest.mark.requirement("TV-07", "TV-14", "TV-23")
@pytest.mark.requirement("SD-09")
@pytest.mark.parametrize(
    ("audience", "status"),
    [
        pytest.param(BASE, 200, id="this base"),
        pytest.param(f"{BASE}/", 200, id="one trailing slash"),
        pytest.param("HTTP://127.0.0.1:8000/fhir/r4", 200, id="case of the scheme"),
        pytest.param(["https://other.example", BASE], 200, id="one of several"),
        pytest.param("http://127.0.0.1:8000/fhir/stu3", 401, id="another base of the same server"),
        pytest.param("http://127.0.0.1:8000/fhir", 401, id="a prefix of the base"),
        pytest.param(f"{BASE}-other", 401, id="the base is its prefix"),
        pytest.param(f"{BASE}//", 401, id="two trailing slashes"),
        pytest.param("http://127.0.0.1:8000/fhir/R4", 401, id="case of the path"),
        pytest.param("https://127.0.0.1:8000/fhir/r4", 401, id="another scheme"),
        pytest.param("", 401, id="empty"),
        pytest.param([], 401, id="nobody"),
        pytest.param([[BASE]], 401, id="nested"),
        pytest.param({BASE: 1}, 401, id="an object"),
        pytest.param(7, 401, id="a number"),
    ],
)
def test_a_token_is_good_for_the_base_it_was_issued_for_and_no_other(
    fetch: Fetch, introspection: Introspection, audience: object, status: int
) -> None:
    introspection.knows("patient/Patient.r", patient="amy", aud=audience)

    answer = fetch("Patient/amy")

    assert answer.status == status
    assert (status == 200) or 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.requirement("TV-03", "TV-04", "TV-11")
@pytest.mark.parametrize(
    ("claims", "status"),
    [
        pytest.param({"aud": None}, 401, id="no aud"),
        pytest.param({"exp": None}, 401, id="no exp"),
        pytest.param({"scope": None}, 403, id="no scope"),
        pytest.param({"scope": ["patient/*.rs"]}, 403, id="scope as a list"),
        pytest.param({"exp": time.time() - 1}, 401, id="ended a second ago"),
        pytest.param({"exp": 0}, 401, id="ended long ago"),
        pytest.param({"exp": "9999999999"}, 401, id="exp as text"),
        pytest.param({"exp": True}, 401, id="exp true"),
        pytest.param({"token_type": "DPoP"}, 401, id="bound to a key by type"),
        pytest.param({"cnf": {"jkt": "x"}}, 401, id="bound to a key"),
        pytest.param({"token_type": "refresh_token"}, 401, id="another kind of token"),
    ],
)
def test_a_claim_that_is_missing_or_wrong_is_never_overlooked(
    fetch: Fetch, introspection: Introspection, claims: dict[str, Any], status: int
) -> None:
    introspection.knows(**{"scope": "patient/Patient.r", "patient": "amy", **claims})

    assert fetch("Patient/amy").status == status


@pytest.mark.requirement("TV-20", "TV-14", "TV-27")
@pytest.mark.parametrize("scope", ["openid fhirUser", "launch/patient", "", "patient/Observation.r", "patient/Patient"])
def test_without_a_scope_for_the_type_it_is_403(fetch: Fetch, introspection: Introspection, scope: str) -> None:
    introspection.knows(scope, patient="amy")

    answer = fetch("Patient/amy")

    assert answer.status == 403
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="{BASE}", error="insufficient_scope"'
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    assert answer.body["issue"][0]["code"] == "forbidden"


READ, HEAD, SEARCH = ("GET", "Observation/lab-a"), ("HEAD", "Observation/lab-a"), ("GET", "Observation")
POSTED, CREATE, UPDATE = ("POST", "Observation/_search"), ("POST", "Observation"), ("PUT", "Observation/lab-a")
PATCH, DELETE = ("PATCH", "Observation/lab-a"), ("DELETE", "Observation/lab-a")
VREAD, HISTORY = ("GET", "Observation/lab-a/_history/1"), ("GET", "Observation/lab-a/_history")
TYPE_HISTORY = ("GET", "Observation/_history")
# 415: allowed by the scope, and then there is no resource
GRANTS = {
    "c": {CREATE: 415},
    "r": {READ: 200, HEAD: 200, VREAD: 200, HISTORY: 200},
    "u": {UPDATE: 415, PATCH: 415},
    "d": {DELETE: 204},
    "s": {SEARCH: 200, POSTED: 200, TYPE_HISTORY: 200},
}
EVERY = [request for granted in GRANTS.values() for request in granted]


@pytest.mark.requirement("IX-02", "IX-03", "IX-04")
@pytest.mark.requirement("IX-09", "SD-23")
@pytest.mark.parametrize("request_", EVERY, ids=" ".join)
@pytest.mark.parametrize("letter", GRANTS)
def test_each_letter_allows_its_own_interactions_and_no_other(
    fetch: Fetch, introspection: Introspection, letter: str, request_: tuple[str, str]
) -> None:
    introspection.knows(f"patient/Observation.{letter}", patient="amy")
    method, path = request_

    answer = fetch(path, method=method, content_type="application/x-www-form-urlencoded")

    assert answer.status == GRANTS[letter].get(request_, 403)


@pytest.mark.requirement("V1-01", "V1-02", "V1-03")
@pytest.mark.requirement("V1-04", "V1-05", "V1-06")
@pytest.mark.requirement("IX-14")
@pytest.mark.parametrize("type_", ["Observation", "*"])
@pytest.mark.parametrize(("name", "letters"), [("read", "rs"), ("write", "cud"), ("*", "cruds")])
def test_v1_scopes_mean_their_letters(
    fetch: Fetch, introspection: Introspection, name: str, letters: str, type_: str
) -> None:
    introspection.knows(f"patient/{type_}.{name}", patient="amy")
    granted = {request: status for letter in letters for request, status in GRANTS[letter].items()}

    for method, path in EVERY:
        answer = fetch(path, method=method, content_type="application/x-www-form-urlencoded")
        assert answer.status == granted.get((method, path), 403), (method, path)


@pytest.mark.requirement("V1-07")
def test_v1_and_v2_scopes_add_up(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("patient/Observation.s patient/Patient.read", patient="amy")

    assert [fetch(path).status for path in ("Observation", "Patient/amy", "Observation/lab-a")] == [200, 200, 403]


@pytest.mark.requirement("IX-13")
@pytest.mark.parametrize("scope", ["patient/*.sr", "patient/*.dus", "patient/*.rx", "Patient/*.rs", "patient/*.R"])
def test_a_malformed_scope_allows_nothing(fetch: Fetch, introspection: Introspection, scope: str) -> None:
    introspection.knows(scope, patient="amy")

    assert [fetch("Observation/lab-a").status, fetch("Observation").status] == [403, 403]


@pytest.mark.requirement("IX-20", "HI-05", "SD-26")
def test_a_type_out_of_scope_is_403_before_anything_is_looked_up(
    fetch: Fetch, introspection: Introspection, django_assert_num_queries: Any
) -> None:
    introspection.knows("patient/Observation.rs", patient="amy")

    with django_assert_num_queries(3):  # an event each, and nothing else
        known, other, unknown = (fetch(f"Condition/{id_}") for id_ in ("problem-a", "problem-b", "unknown"))

    assert known.status == 403
    assert known.alike == other.alike == unknown.alike


def test_a_type_that_is_not_served_is_403_without_a_scope_and_404_with_one(
    fetch: Fetch, introspection: Introspection
) -> None:
    introspection.knows("patient/Observation.rs", patient="amy")
    assert fetch("Flag").status == 403

    introspection.knows("patient/*.cruds", patient="amy")
    answers = [fetch("Flag"), fetch("Flag/1"), fetch("Flag", method="POST")]
    assert [answer.status for answer in answers] == [404, 404, 404]
    assert answers[0].body["issue"][0]["code"] == "not-supported"


@pytest.mark.requirement("PC-20")
@pytest.mark.parametrize(
    "patient", [None, "", 7, ["amy"], {"id": "amy"}, "Patient/amy", "amy\0", "a" * 65, "../ben", "amy "], ids=repr
)
@pytest.mark.parametrize("path", ["Patient/amy", "Observation", "Observation/lab-a"])
def test_a_patient_scope_without_a_usable_patient_is_403(
    fetch: Fetch, introspection: Introspection, path: str, patient: object
) -> None:
    introspection.knows("patient/*.rs", patient=patient)

    assert fetch(path).status == 403


GREEN = f"{BASE}/Practitioner/dr-green"


def by_person(introspection: Introspection, scope: str, *patients: str, **claims: Any) -> None:
    """A token of dr-green, who may see these patients."""
    introspection.knows(scope, **{"fhirUser": GREEN, "__patients": list(patients), **claims})


@pytest.mark.requirement("US-01", "HI-01")
def test_a_person_reads_the_patients_they_may_see_and_nobody_else_exists(
    fetch: Fetch, introspection: Introspection
) -> None:
    by_person(introspection, "user/*.rs", "amy")

    assert [fetch(path).status for path in ("Patient/amy", "Observation/lab-a", "Condition/problem-a")] == [200] * 3
    for hidden, unknown in (("Patient/ben", "Patient/nobody"), ("Observation/lab-b", "Observation/none")):
        assert fetch(hidden).status == 404
        assert fetch(hidden).alike == fetch(unknown).alike


@pytest.mark.requirement("US-02", "SR-13")
def test_a_person_finds_the_records_of_their_patients(introspection: Introspection, search: Search) -> None:
    by_person(introspection, "user/*.rs", "amy")
    of_amy = search("Observation").body["total"]
    by_person(introspection, "user/*.rs", "amy", "ben")
    both = search("Observation").body["total"]
    by_person(introspection, "user/*.rs", "ben", "not-here")
    of_ben = search("Observation").body["total"]

    assert 0 < of_amy < both
    assert 0 < of_ben < both
    assert {"amy", "ben"} == set(_found(introspection, search, "Patient", "amy", "ben"))
    assert _found(introspection, search, "Patient?_id=ben", "amy") == []


def _found(introspection: Introspection, search: Search, query: str, *patients: str) -> list[str]:
    by_person(introspection, "user/*.rs", *patients)
    name, _, rest = query.partition("?")
    return search(name, rest).ids


@pytest.mark.requirement("US-04")
def test_a_patient_in_context_does_not_narrow_what_the_person_may_see(
    fetch: Fetch, introspection: Introspection
) -> None:
    by_person(introspection, "launch/patient user/Observation.rs", "amy", "ben", patient="amy")
    assert fetch("Observation/lab-b").status == 200

    by_person(introspection, "patient/Observation.rs user/Patient.rs", "amy", "ben", patient="amy")
    assert [fetch(path).status for path in ("Observation/lab-b", "Patient/ben", "Patient/amy")] == [404, 200, 200]


@pytest.mark.requirement("US-05")
@pytest.mark.parametrize(
    ("patients", "status"), [((), 404), (("amy",), 404), (("amy", "ben"), 200)], ids=["none", "amy alone", "and ben"]
)
def test_a_patient_sees_the_people_they_act_for_and_no_more(
    fetch: Fetch, introspection: Introspection, patients: tuple[str, ...], status: int
) -> None:
    by_person(introspection, "user/Observation.rs", *patients, fhirUser=f"{BASE}/Patient/amy")

    assert fetch("Observation/lab-b").status == status


@pytest.mark.requirement("US-06")
@pytest.mark.parametrize("own_resource", ["Practitioner/dr-okafor", "Practitioner/dr-green"])
def test_a_person_may_read_who_they_are(fetch: Fetch, introspection: Introspection, own_resource: str) -> None:
    by_person(introspection, "openid fhirUser user/Practitioner.r", fhirUser=f"{BASE}/{own_resource}")
    other = "Practitioner/dr-green" if own_resource.endswith("okafor") else "Practitioner/dr-okafor"

    assert (fetch(own_resource).status, fetch(other).status) == (200, 404)


@pytest.mark.requirement("ID-03")
@pytest.mark.parametrize("own_resource", ["Practitioner/dr-okafor", "Patient/amy"])
@pytest.mark.parametrize("scope", ["openid fhirUser", "openid profile patient/Observation.rs"])
def test_fhir_user_can_be_read_with_its_own_token(
    fetch: Fetch, introspection: Introspection, own_resource: str, scope: str
) -> None:
    introspection.knows(scope, fhirUser=f"{BASE}/{own_resource}", patient="ben")
    name, _, _ = own_resource.partition("/")

    assert fetch(own_resource).status == 200
    assert fetch(own_resource).body["id"] == own_resource.partition("/")[2]
    assert fetch(f"{name}/dr-green").status == 404
    assert fetch(name).status == 403
    assert fetch("Condition/problem-a").status == 403


@pytest.mark.requirement("ID-03", "TV-20")
@pytest.mark.parametrize("scope", ["openid", "fhirUser", "openid patient/Observation.rs"])
def test_fhir_user_is_read_only_where_it_was_granted(fetch: Fetch, introspection: Introspection, scope: str) -> None:
    introspection.knows(scope, fhirUser=GREEN, patient="amy")

    assert fetch("Practitioner/dr-green").status == 403


@pytest.mark.requirement("US-01", "SD-24")
@pytest.mark.parametrize(
    "claims",
    [
        {"__patients": None},
        {"__patients": []},
        {"__patients": "amy"},
        {"__patients": {"amy": 1}},
        {"__patients": [["amy"], 7, None, "../amy", "amy "]},
        {"__patients": ["amy"], "sub": "b", "client_id": "b", "fhirUser": None},
    ],
    ids=str,
)
def test_without_a_usable_list_of_patients_a_person_sees_nobody(
    fetch: Fetch, introspection: Introspection, claims: dict[str, Any]
) -> None:
    introspection.knows("user/*.cruds", **{"fhirUser": None, **claims})

    assert [fetch("Patient/amy").status, fetch("Observation").status] == [403, 403]


@pytest.mark.requirement("GR-12", "SCP-05")
def test_scopes_of_both_contexts_add_up_each_with_its_own_restriction(
    fetch: Fetch, introspection: Introspection, search: Search
) -> None:
    scope = f"patient/Observation.rs user/Observation.rs?category={CATEGORY}|vital-signs"
    by_person(introspection, scope, "amy", "ben", patient="amy")

    assert [fetch(f"Observation/{name}").status for name in ("lab-a", "vital-a", "vital-b", "lab-b")] == [
        200, 200, 200, 404
    ]  # fmt: skip
    found = search("Observation", "_count=200")
    assert len(set(found.ids)) == len(found.ids) == found.body["total"]
    assert {"lab-a", "vital-a", "vital-b"} <= set(found.ids)
    assert "lab-b" not in found.ids


@pytest.mark.requirement("SY-01", "SY-02")
def test_a_backend_reaches_every_record_of_the_types_in_its_scopes(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("system/Observation.rs", sub="demo-backend", client_id="demo-backend")

    assert fetch("Observation/lab-a").status == fetch("Observation/lab-b").status == 200
    assert fetch("Observation").body["total"] == 17
    assert fetch("Patient/amy").status == 403


@pytest.mark.requirement("SY-03")
@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"sub": "u-1", "client_id": "demo-backend"}, id="a person's subject"),
        pytest.param({"sub": None, "client_id": None}, id="nobody"),
        pytest.param({"sub": "b", "client_id": "b", "fhirUser": "Patient/amy"}, id="a fhirUser"),
        pytest.param({"sub": "b", "client_id": "b", "patient": "amy"}, id="a patient"),
        pytest.param({"sub": "b", "client_id": "b", "patient": ""}, id="an empty patient"),
    ],
)
def test_a_system_scope_beside_a_person_counts_for_nothing(
    fetch: Fetch, introspection: Introspection, claims: dict[str, Any]
) -> None:
    introspection.knows("system/*.rs", **claims)

    assert [fetch("Patient/amy").status, fetch("Observation").status] == [403, 403]


def granular(restriction: str) -> str:
    return f"patient/Observation.rs?{restriction}"


@pytest.mark.requirement("GR-01", "GR-02", "GR-03")
@pytest.mark.requirement("GR-08", "GR-16", "GR-17")
@pytest.mark.parametrize(
    "restriction",
    [
        pytest.param(f"category={CATEGORY}|laboratory", id="as it is"),
        pytest.param(f"category={CATEGORY}%7Claboratory".replace("://", "%3A%2F%2F"), id="percent-encoded"),
        pytest.param(f"category={CATEGORY}|laboratory,{CATEGORY}|exam", id="one of two values"),
        pytest.param(f"category={CATEGORY}|laboratory&status=final", id="two parameters"),
    ],
)
def test_a_granular_scope_reaches_what_it_names_and_hides_the_rest(
    fetch: Fetch, introspection: Introspection, search: Search, restriction: str
) -> None:
    introspection.knows(granular(restriction), patient="amy")
    unknown = fetch("Observation/unknown")

    assert [fetch(f"Observation/{id_}").status for id_ in ("lab-a", "both-a")] == [200, 200]
    for id_ in ("vital-a", "none-a", "other-system-a", "lab-b"):
        assert fetch(f"Observation/{id_}").alike == unknown.alike
    assert search("Observation").ids == ["lab-a", "both-a"]
    assert search("Observation", "_count=0").body["total"] == 2


@pytest.mark.requirement("GR-04", "GR-05", "GR-06")
@pytest.mark.requirement("GR-07")
@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("patient=amy&category=vital-signs", ["both-a"]),
        ("_id=vital-a", []),
        ("code=29463-7", []),
        ("category=laboratory,vital-signs", ["lab-a", "both-a"]),
        ("category:not=laboratory", []),
        ("category:not=vital-signs", ["lab-a"]),
        ("category:missing=true", []),
        ("category:missing=false", ["lab-a", "both-a"]),
    ],
)
def test_a_search_only_narrows_a_granular_scope(
    introspection: Introspection, search: Search, query: str, ids: list[str]
) -> None:
    introspection.knows(granular(f"category={CATEGORY}|laboratory"), patient="amy")

    assert search("Observation", query).ids == ids


@pytest.mark.requirement("GR-12", "GR-13")
def test_scopes_of_one_type_add_up(introspection: Introspection, search: Search) -> None:
    laboratory, vital = (granular(f"category={CATEGORY}|{code}") for code in ("laboratory", "vital-signs"))

    introspection.knows(f"{laboratory} {vital}", patient="amy")
    assert search("Observation").ids == ["lab-a", "vital-a", "both-a"]

    introspection.knows(f"{laboratory} patient/Observation.s", patient="amy")
    assert "none-a" in search("Observation").ids


@pytest.mark.requirement("GR-15")
@pytest.mark.parametrize(
    "restriction",
    [
        "category:in=http://example.org/vs",
        "category:not=laboratory",
        "category:missing=false",
        "subject.name=amy",
        "_filter=status%20eq%20final",
        "nonsense=1",
        "status=final&nonsense=1",
        "date=yesterday",
        "_count=100",
    ],
)
def test_a_scope_that_cannot_be_evaluated_gives_nothing(
    fetch: Fetch, introspection: Introspection, restriction: str
) -> None:
    introspection.knows(granular(restriction), patient="amy")

    assert [fetch("Observation/lab-a").status, fetch("Observation").status] == [403, 403]
