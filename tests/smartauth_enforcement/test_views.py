"""A yes for some of the records: the search is narrowed, the answer is checked."""

import json
from typing import Any

import pytest

from smartauth_enforcement.checking import prune
from smartauth_enforcement.options import Enforcement
from tests.smartauth_enforcement.conftest import AMY, HIDE, MANY, ONE, FhirServer, Protect, Send, Smartauth, view

pytestmark = pytest.mark.one_engine

LAB, VITAL = (
    {**AMY, "where": [{"name": "category", "values": [f"s|{code}"]}]} for code in ("laboratory", "vital-signs")
)
USER: dict[str, Any] = {"who": {"compartments_of": "$user"}, "where": []}
ALL: dict[str, Any] = {"who": "all", "where": []}
TWO: dict[str, Any] = {"sets": {"$user": ["amy", "carol"]}}


def observation(name: str, patient: str = "amy") -> dict[str, Any]:
    return {"resourceType": "Observation", "id": name, "subject": {"reference": f"Patient/{patient}"}, "note": "x"}


def bundle(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    entries = [{"fullUrl": "u", "resource": each, "search": {"mode": "match"}} for each in resources]
    return {"resourceType": "Bundle", "id": "b", "type": "searchset", "total": len(entries), "entry": entries, **more}


def shown(answer: Any) -> list[str]:
    return [entry["resource"]["id"] for entry in answer.json().get("entry", [])]


# Before --------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("PC-04", "PC-05", "GR-03", "GR-06", "GR-12")
@pytest.mark.parametrize(
    ("said", "path", "narrow", "asked"),
    [
        (view(AMY), "Observation?code=x", "patient", "Observation?code=x&patient=Patient/amy"),
        (view(AMY), "Observation?patient=ben", "patient", "Observation?patient=ben&patient=Patient/amy"),
        (view(AMY), "Observation?patient=Patient/amy", "patient", "Observation?patient=Patient/amy"),
        (view(AMY), "Observation?code=x", "compartment", "Patient/amy/Observation?code=x"),
        (view(AMY), "Observation?code=x", "app", "Observation?code=x"),
        (view(AMY, kind="Patient"), "Patient?name=x", "compartment", "Patient?name=x&_id=amy"),
        (view(LAB), "Observation", "patient", "Observation?category=s|laboratory&patient=Patient/amy"),
        (view(LAB, VITAL), "Observation", "compartment", "Patient/amy/Observation?category=s|laboratory,s|vital-signs"),
        (view(LAB, AMY), "Observation", "compartment", "Patient/amy/Observation"),
        (view(AMY, USER, **TWO), "Observation", "compartment", "Observation?patient=Patient/amy,Patient/carol"),
        (view(USER, kind="Patient", **TWO), "Patient", "patient", "Patient?_id=amy,carol"),
        (view({"who": "all", "where": LAB["where"]}), "Observation", "patient", "Observation?category=s|laboratory"),
        (view({"who": {"self": "Practitioner/p"}, "where": []}, kind="Practitioner"), "Practitioner", "patient",
         "Practitioner?_id=p"),
    ],
)  # fmt: skip
def test_a_search_is_narrowed_to_the_view(
    protect: Protect, smartauth: Smartauth, fhir: FhirServer, said: Any, path: str, narrow: str, asked: str
) -> None:
    smartauth.says[ONE], fhir.says = said, bundle()

    assert protect(narrow=narrow)("GET", path).status_code == 200
    assert fhir.asked == [("GET", f"/fhir/{asked}")]


def test_a_way_to_narrow_that_does_not_exist_is_no_option() -> None:
    with pytest.raises(ValueError, match="by-chance"):
        Enforcement(base="b", smartauth="s", client_id="c", client_secret="x", narrow="by-chance")


def test_a_view_that_is_no_single_search_is_403(send: Send, smartauth: Smartauth, fhir: FhirServer) -> None:
    smartauth.says[ONE] = view(LAB, USER, **TWO)

    answer = send("GET", "Observation")

    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (403, "too-costly")
    assert fhir.asked == []


@pytest.mark.parametrize("said", [view(), view(USER, sets={"$user": []})], ids=["no alternative", "of nobody"])
def test_nobodys_records_are_none(send: Send, smartauth: Smartauth, fhir: FhirServer, said: Any) -> None:
    smartauth.says[ONE] = said

    assert send("GET", "Observation").json() == {"resourceType": "Bundle", "type": "searchset", "total": 0}
    assert fhir.asked == []


@pytest.mark.requirement("SR-01", "SR-17", "HV-05")
def test_what_is_checked_comes_whole_and_as_json(send: Send, smartauth: Smartauth, fhir: FhirServer) -> None:
    smartauth.says[ONE], fhir.says = view(AMY), bundle(observation("o"))
    off = {"If-None-Match": "1", "If-Modified-Since": "x", "Range": "bytes=0-1", "Accept": "application/xml"}
    off |= {"If-Match": "2", "If_Unmodified_Since": "x"}

    answer = send(
        "POST", "Observation/_search?_format=xml&_summary=true", data={"_elements": "id", "a": ""}, headers=off
    )

    assert shown(answer) == ["o"]
    assert fhir.asked == [("GET", "/fhir/Observation?a=&patient=Patient/amy")]
    assert fhir.got_headers["accept"] == "application/fhir+json"
    conditions = {"if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "range"}
    assert not conditions & {name.replace("_", "-") for name in fhir.got_headers}
    assert fhir.got_body == b""


# After ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["72.50", "1.0E-22", "3.14159265358979323846264338327950288", "1E+400"])
def test_a_decimal_is_as_precise_as_it_was(send: Send, smartauth: Smartauth, fhir: FhirServer, number: str) -> None:
    smartauth.says[ONE] = view(AMY)
    weight = json.dumps({**observation("amys"), "valueQuantity": {"value": "?"}}).replace('"?"', number)
    searched = f'{{"resourceType": "Bundle", "type": "searchset", "entry": [{{"resource": {weight}}}]}}'

    for path, fhir.says in (("Observation/amys", weight.encode()), ("Observation", searched.encode())):
        assert f'"value": {number}' in send("GET", path).text


@pytest.mark.requirement("SR-04", "SR-13", "SR-21", "GR-17")
def test_of_a_bundle_only_what_may_be_seen_is_left(send: Send, smartauth: Smartauth, fhir: FhirServer) -> None:
    organization = {"resourceType": "Organization", "id": "org"}
    practitioner = {"resourceType": "Practitioner", "id": "p"}
    smartauth.says[ONE] = view(AMY)
    smartauth.says[ONE]["context"]["view"] |= {"Organization": [ALL], "Practitioner": []}
    included = [{"resource": each, "search": {"mode": "include"}} for each in (organization, practitioner)]
    outcome = {"resource": {"resourceType": "OperationOutcome", "id": "about ben"}, "search": {"mode": "outcome"}}
    fhir.says = bundle(
        observation("amys"), observation("bens", "ben"), link=[{"relation": "next", "url": f"{ONE}?p=2"}]
    )
    fhir.says["entry"] += [*included, outcome, {"request": {"method": "DELETE", "url": "Observation/bens"}}]
    fhir.headers |= {"X-Total-Count": "2", "ETag": "2", "Cache-Control": "no-store"}

    answer = send("GET", "Observation")

    assert shown(answer) == ["amys", "org"]
    assert answer.json().keys() == {"resourceType", "type", "entry"}
    assert "X-Total-Count" not in answer.headers
    assert (answer.headers["Cache-Control"], "ETag" in answer.headers) == ("no-store", False)


@pytest.mark.requirement("SR-13", "SR-14")
def test_pages_of_a_narrowed_search_stay_and_counts_of_a_server_that_is_known(
    protect: Protect, smartauth: Smartauth, fhir: FhirServer
) -> None:
    pages = [{"relation": "next", "url": "https://x/fhir/Patient/amy/Observation?p=2"}, {"relation": "x", "url": "y"}]
    smartauth.says[ONE], fhir.says = view(AMY), bundle(observation("o"), link=pages, total=7)

    found = protect(narrow="compartment", trusts_counts=True)("GET", "Observation?_count=1").json()
    believed = protect(narrow="compartment")("GET", "Observation?_count=1").json()

    assert found["total"] == 7
    assert found["link"] == [{"relation": "next", "url": "https://x/fhir/Observation?p=2"}]
    assert (believed["link"], "total" in believed) == (found["link"], False)


@pytest.mark.requirement("SR-13", "SR-14")
@pytest.mark.parametrize("way", ["get", "post"])
@pytest.mark.parametrize("how", ["_summary=count", "_count=0"])
@pytest.mark.parametrize(
    ("says", "total"), [([observation("o")], 1), ([observation("o"), observation("x", "ben")], None), ([], 0)]
)
def test_what_is_counted_is_seen_first(
    send: Send, smartauth: Smartauth, fhir: FhirServer, way: str, how: str, says: Any, total: int | None
) -> None:
    smartauth.says[ONE], fhir.says = view(AMY), bundle(*says)

    form = {"content": how.encode(), "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    found = send("GET", f"Observation?{how}") if way == "get" else send("POST", "Observation/_search", **form)

    assert fhir.asked == [("GET", "/fhir/Observation?patient=Patient/amy")]
    assert found.json() == {"resourceType": "Bundle", "type": "searchset"} | ({} if total is None else {"total": total})


@pytest.mark.requirement("SR-13")
def test_a_count_that_no_page_shows_is_not_told_but_where_all_of_the_type_is_open(
    protect: Protect, smartauth: Smartauth, fhir: FhirServer
) -> None:
    fhir.says = bundle(observation("o"), total=7)
    found = {}
    for name, said in {"amy": view(AMY), "all": view(ALL)}.items():
        smartauth.says[ONE] = said
        found[name] = protect()("GET", "Observation?_summary=count").json().get("total")

    assert found == {"amy": None, "all": 7}
    assert fhir.asked[-1] == ("GET", "/fhir/Observation?_summary=count")


@pytest.mark.requirement("SR-04")
def test_of_a_type_that_is_open_nothing_else_that_comes_along_is_shown(
    send: Send, smartauth: Smartauth, fhir: FhirServer
) -> None:
    smartauth.says[ONE] = view(ALL)
    fhir.says = bundle(observation("o", "ben"))
    fhir.says["entry"].append({"resource": {"resourceType": "Patient", "id": "ben"}, "search": {"mode": "include"}})

    assert shown(send("GET", "Observation")) == ["o"]
    assert [path for path, _ in smartauth.asked] == [ONE]


@pytest.mark.requirement("PC-05")
def test_of_more_patients_than_can_be_listed_each_record_is_asked_about(
    protect: Protect, smartauth: Smartauth, fhir: FhirServer
) -> None:
    smartauth.says[ONE] = view({"who": {"unlisted_compartments": 15_000}, "where": []})
    fhir.says = observation("o")
    assert protect()("GET", "Observation/o").status_code == 200
    fhir.says = observation("o", "ben")
    assert protect()("GET", "Observation/o").status_code == 404
    reached = len(fhir.asked)

    refused = protect()("GET", "Observation")

    assert (refused.status_code, refused.json()["issue"][0]["code"]) == (403, "too-costly")
    assert "more patients" in refused.json()["issue"][0]["diagnostics"]
    assert len(fhir.asked) == reached
    fhir.says = bundle(observation("amys"), observation("bens", "ben"))
    assert shown(protect(narrow="app")("GET", "Observation")) == ["amys"]


@pytest.mark.requirement("HI-01", "PC-02", "HV-01", "HV-04")
@pytest.mark.parametrize("path", ["Observation/o", "Observation/o/_history/1", "Observation/o/_history"])
@pytest.mark.parametrize(
    ("status", "says"),
    [
        (200, observation("o", "ben")),
        (200, {"resourceType": "Bundle", "type": "history", "entry": [{"resource": observation("o", "ben")}]}),
        (200, {"resourceType": "Patient", "id": "amy"}),
        (404, {"resourceType": "OperationOutcome"}),
        (410, {"resourceType": "OperationOutcome"}),
    ],
    ids=["another's", "another's versions", "another type", "unknown", "deleted"],
)
def test_hidden_unknown_and_deleted_are_one(
    send: Send, smartauth: Smartauth, fhir: FhirServer, path: str, status: int, says: Any
) -> None:
    smartauth.says[ONE], fhir.status, fhir.says = view(AMY), status, says
    fhir.headers |= {"ETag": "2"}

    answer = send("GET", path)

    assert (answer.status_code, answer.json()) == (404, HIDE["outcome"])
    assert answer.headers.keys() == {"content-type", "content-length"}


def test_what_is_unknown_takes_as_many_questions_as_what_is_hidden(
    send: Send, smartauth: Smartauth, fhir: FhirServer
) -> None:
    smartauth.says[ONE], fhir.says = view(AMY), observation("o", "ben")
    send("GET", "Observation/o")
    fhir.status = 404
    send("GET", "Observation/o")

    assert [path for path, _ in smartauth.asked] == [ONE, MANY] * 2


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_resource_that_may_be_seen_comes_as_the_server_sent_it(
    send: Send, smartauth: Smartauth, fhir: FhirServer, method: str
) -> None:
    smartauth.says[ONE], fhir.says = view(AMY), observation("o")
    fhir.headers |= {"ETag": 'W/"2"', "X-Powered-By": "x"}

    answer = send(method, "Observation/o")

    assert answer.status_code == 200
    assert answer.content == (fhir.body if method == "GET" else b"")
    assert (answer.headers["ETag"], "X-Powered-By" in answer.headers) == ('W/"2"', False)
    assert fhir.asked == [("GET", "/fhir/Observation/o")]


@pytest.mark.requirement("HV-02")
def test_of_a_history_only_the_own_versions_are_counted(send: Send, smartauth: Smartauth, fhir: FhirServer) -> None:
    smartauth.says[ONE] = view(AMY)
    fhir.says = bundle(observation("o"), observation("o", "ben"), type="history")

    found = send("GET", "Observation/o/_history?_count=1")

    assert (shown(found), found.json()["total"]) == (["o"], 1)
    assert fhir.asked == [("GET", "/fhir/Observation/o/_history")]
    fhir.says["link"] = [{"relation": "next", "url": "x"}]
    assert send("GET", "Observation/o/_history").status_code == 403


@pytest.mark.parametrize(
    ("status", "says", "told"),
    [(500, b"Traceback: ben", 500), (400, b"ben", 400), (304, b"", 500), (200, b"<Bundle/>", 500), (200, b"[]", 500)],
)
def test_what_the_server_says_beside_resources_is_not_passed_on(
    send: Send, smartauth: Smartauth, fhir: FhirServer, status: int, says: bytes, told: int
) -> None:
    smartauth.says[ONE], fhir.status, fhir.says = view(AMY), status, says

    answer = send("GET", "Observation")

    assert (answer.status_code, answer.json()["resourceType"]) == (told, "OperationOutcome")
    assert "ben" not in answer.text


def test_many_entries_are_asked_about_in_parts(send: Send, smartauth: Smartauth, fhir: FhirServer) -> None:
    smartauth.says[ONE] = view(AMY)
    fhir.says = bundle(*(observation(str(place), "amy" if place % 2 else "ben") for place in range(450)))

    assert shown(send("GET", "Observation")) == [str(place) for place in range(450) if place % 2]
    assert [len(question["evaluations"]) for path, question in smartauth.asked if path == MANY] == [200, 200, 50]
    (entry, *_) = smartauth.asked[1][1]["evaluations"]
    assert entry["action"] == {"name": "search-type"}
    assert "note" not in entry["resource"]["properties"]["content"]


def test_only_the_elements_that_are_asked_for_leave_the_server() -> None:
    resource = {"id": "a", "participant": [{"actor": {"reference": "x"}, "note": 1}, {"note": 2}], "text": "t", "n": 3}

    assert prune(resource, ["id", "participant.actor", "missing", "n.deeper"]) == {
        "id": "a",
        "participant": [{"actor": {"reference": "x"}}, {}],
        "n": 3,
    }
    both = prune({"a": [{"b": 1, "c": 2, "d": 3}]}, ["a.b", "a.c"])
    assert both == {"a": [{"b": 1, "c": 2}]}
