"""Patients of a producer's own FHIR server, found there by a search with a token of ours."""

import secrets
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest

from oauth.authorization.picker.patient_search import _parameters, search_patients
from oauth.authorization.picker.search_request import CLIENT_ID, SearchFailed
from oauth.models import Authorization, Client, FhirIdentity, FhirServer, PatientRecord
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Events, Issue, MakeClient, MakePerson, MakeResourceServer
from tests.oauth.authorization.picker.producer_server import ELSEWHERE, Producer
from tests.oauth.visitor import Visitor, redirect_query


class Reach(Protocol):
    def __call__(self, fhir_user: str = "Practitioner/dr") -> tuple[Any, Any]: ...


@pytest.fixture
def reach(visitor: Visitor, make_client: MakeClient, make_person: MakePerson, base: FhirServer) -> Reach:
    """The picker page of somebody who is that at the producer's server."""

    def go(fhir_user: str = "Practitioner/dr") -> tuple[Any, Any]:
        client, person = make_client(), make_person()
        client.fhir_servers.add(base)
        FhirIdentity.objects.create(user=person, fhir_server=base, resource=fhir_user)
        return client, visitor.sign_in(visitor.follow(visitor.ask(client, aud=base.base)), person)

    return go


def search(visitor: Visitor, page: Any, sought: str) -> Any:
    return visitor.request("GET", page.url.path, params={"q": sought})


def offered(page: Any) -> list[int]:
    return [int(part.split('"')[0]) for part in page.text.split('name="patient" value="')[1:]]


@pytest.mark.requirement("AZ-12", "LC-02")
def test_a_practitioner_picks_the_patients_that_the_fhir_server_finds(
    visitor: Visitor, producer: Producer, base: FhirServer, reach: Reach
) -> None:
    patient = f"p-{secrets.token_hex(4)}"
    producer.has({"id": patient, "name": [{"given": ["Ada"], "family": "One"}], "birthDate": "2001-02-03"})
    client, page = reach()

    found = search(visitor, page, "Ada, O")
    consent = visitor.follow(visitor.send(found, patient=offered(found)[0]))
    code = redirect_query(visitor.allow(consent))["code"]

    path = urlsplit(f"{base.base}/Patient").path
    assert producer.asked == [{"path": [path], "name": ["Ada\\, O"], "_count": ["20"]}]
    assert "Ada One" in found.text
    assert " checked" not in found.text
    assert code
    granted = Authorization.objects.get(client=client)
    assert (granted.patient, granted.patient_vouched) == (patient, 1)


@pytest.mark.requirement("AZ-12")
def test_a_patient_is_found_as_dstu2_writes_one(visitor: Visitor, producer: Producer, reach: Reach) -> None:
    producer.has({"id": f"p-{secrets.token_hex(4)}", "name": [{"given": ["Ada"], "family": ["One", "Two"]}]})
    _, page = reach()

    assert "Ada One Two" in search(visitor, page, "Ada").text


@pytest.mark.requirement("AZ-12")
@pytest.mark.parametrize(
    ("sought", "parameter"), [("Ada", "name"), ("2001-02-03", "birthdate"), ("HC-a7", "identifier")]
)
def test_what_is_typed_decides_by_what_is_searched(
    visitor: Visitor, producer: Producer, reach: Reach, sought: str, parameter: str
) -> None:
    _, page = reach()

    nobody = search(visitor, page, sought)

    assert producer.asked[0][parameter] == [sought]
    assert "did not answer" not in nobody.text


@pytest.mark.requirement("AZ-12", "SCP-20")
@pytest.mark.parametrize("fhir_user", ["Patient/p1", "RelatedPerson/r1", "Person/p"])
def test_nobody_but_practitioners_searches(visitor: Visitor, producer: Producer, reach: Reach, fhir_user: str) -> None:
    producer.has({"id": "somebody"})

    _, page = reach(fhir_user)
    search(visitor, page, "some")

    assert "There is no health record that you may share." in page.text
    assert producer.asked == []


@pytest.mark.requirement("BK-06", "SCP-19")
def test_the_token_of_the_search_is_good_for_finding_patients_there_and_only_meanwhile(
    app: App, visitor: Visitor, producer: Producer, base: FhirServer, reach: Reach,
    make_resource_server: MakeResourceServer, events: Events,
) -> None:  # fmt: skip
    caller, during = make_resource_server(base), []
    headers = basic(caller.client_id, SECRET)

    def introspected(token: str) -> Any:
        return app.post("/o/introspect", data={"token": token}, headers=headers).json()

    producer.tokens = _Watched(lambda token: during.append(introspected(token)))
    _, page = reach()

    search(visitor, page, "Ada")

    (claims,) = during
    assert (claims["scope"], claims["sub"], claims["client_id"], claims["aud"]) == (
        "system/Patient.rs", CLIENT_ID, CLIENT_ID, base.base
    )  # fmt: skip
    assert introspected(producer.tokens[0]) == {"active": False}
    assert "patient" not in claims
    (ended,) = events("revoked", client=CLIENT_ID, fhir_server=base.base)
    assert (ended.reason, ended.reference) == ("used", CLIENT_ID)
    assert [event.address for event in events("issued", client=CLIENT_ID, fhir_server=base.base)] == [""]
    picker = Client.objects.get(client_id=CLIENT_ID)
    assert (picker.grants, picker.redirect_uris, picker.secret_digest, picker.jwks) == ("", "", "", "")
    assert (picker.name, picker.maker, picker.authentication, picker.supersede) == (
        "Patient picker", "smartauth", "keys", "off"
    )  # fmt: skip


@pytest.mark.requirement("BK-06")
def test_a_picker_that_an_operator_disabled_searches_nothing(producer: Producer, base: FhirServer) -> None:
    search_patients(base, "Ada")
    Client.objects.filter(client_id=CLIENT_ID).disable()
    try:
        with pytest.raises(SearchFailed):
            search_patients(base, "Ben")
    finally:
        Client.objects.filter(client_id=CLIENT_ID).update(enabled=1)

    assert [asked["name"] for asked in producer.asked] == [["Ada"]]


@pytest.mark.requirement("AZ-12")
def test_a_patient_that_is_found_again_is_kept_as_it_is_now(producer: Producer, base: FhirServer) -> None:
    for name in ("Ada One", "Ada Two"):
        producer.has({"id": "ada", "name": [{"text": name}]})
        (found,) = search_patients(base, "Ada")
        assert PatientRecord.objects.get(fhir_server=base).name == PatientRecord.objects.get(pk=found).name == name


@pytest.mark.requirement("AZ-12")
def test_a_search_is_for_a_day_an_identifier_or_a_name() -> None:
    count = {"_count": "20"}

    assert _parameters("2001-02-03") == {"birthdate": "2001-02-03", **count}
    assert _parameters("HC-a7") == {"identifier": "HC-a7", **count}
    assert _parameters("Ada, $1|\\x") == {"name": "Ada\\, \\$1\\|\\\\x", **count}


class _Watched(list[str]):
    """Tells of each item at once."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self.tell = tell

    def append(self, item: str) -> None:
        super().append(item)
        self.tell(item)


BROKEN: dict[str, tuple[int, dict[str, str], bytes]] = {
    "500": (500, {}, b"{}"),
    "401": (401, {}, b"{}"),
    "a redirect": (302, {"Location": ELSEWHERE}, b'{"entry": []}'),
    "HTML": (200, {}, b"<html>"),
    "a list": (200, {}, b"[]"),
    "no resource": (200, {}, b'{"entry": [{}]}'),
    "no id": (200, {}, b'{"entry": [{"resource": {"resourceType": "Patient"}}]}'),
    "a strange name": (200, {}, b'{"entry": [{"resource": {"resourceType": "Patient", "id": "a", "name": 7}}]}'),
    "deeply nested": (200, {}, b"[" * 100_000),
    "more than a megabyte": (200, {}, b" " * 1_100_000 + b"{}"),
}


@pytest.mark.requirement("AZ-12", "E42")
@pytest.mark.parametrize(("status", "headers", "body"), BROKEN.values(), ids=BROKEN.keys())
def test_a_server_that_does_not_answer_well_shows_nobody_and_breaks_nothing(
    visitor: Visitor, producer: Producer, base: FhirServer, reach: Reach,
    status: int, headers: dict[str, str], body: bytes,
) -> None:  # fmt: skip
    producer.status, producer.headers, producer.body = status, headers, body
    _, page = reach()

    found = search(visitor, page, "Ada")

    assert found.status_code == 200
    assert "<strong>Lakeside did not answer.</strong>" in found.text
    assert offered(found) == []
    assert PatientRecord.objects.filter(fhir_server=base).count() == 0


@pytest.mark.parametrize(
    "strange",
    [
        *({"id": name} for name in ("../Patient/x", "a b", "", "x" * 65)),
        {"id": "born", "birthDate": "2017-13-45"},
        {"id": "named", "name": [{"text": "Ada \u202e enO"}]},
        {"id": "long", "name": [{"text": "x" * 201}]},
        {"id": "sexed", "gender": "<b>"},
    ],
    ids=repr,
)
def test_a_patient_that_registration_refuses_is_left_out(
    visitor: Visitor, producer: Producer, base: FhirServer, reach: Reach, strange: dict[str, Any]
) -> None:
    producer.has(strange, {"id": "fine"})
    _, page = reach()

    found = search(visitor, page, "Ada")

    assert len(offered(found)) == 1
    assert list(PatientRecord.objects.filter(fhir_server=base).values_list("patient", flat=True)) == ["fine"]


@pytest.mark.requirement("E32")
def test_a_quiet_request_searches_nobody(
    visitor: Visitor, producer: Producer, base: FhirServer, reach: Reach, issue: Issue
) -> None:
    client, _ = reach()
    issue(client, FhirIdentity.objects.get(fhir_server=base).user, server=base)
    PatientRecord.objects.create(fhir_server=base, patient="the-only-one")

    response = visitor.follow(visitor.ask(client, aud=base.base, prompt="none"))

    assert redirect_query(response)["error"] == "interaction_required"
    assert producer.asked == []
