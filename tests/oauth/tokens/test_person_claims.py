"""What a resource server hears about user/ scopes, and the app does not (SD-24, US-05)."""

from typing import Any

import pytest

from oauth.models import ActsFor, Authorization, FhirIdentity, PatientRecord
from oauth.tokens import person_claims
from oauth.tokens.authorization_state import AuthorizationState
from tests.conftest import BASE, App
from tests.fixture_types import Grant, Introspect, Issue, MakeClient, MakePerson
from tests.oauth.jwt import payload
from tests.oauth.remembering import HTTPS, exchange, refreshing_client
from tests.oauth.visitor import Visitor, redirect_query


@pytest.mark.requirement("US-02", "US-05", "SD-24")
def test_a_resource_server_hears_who_the_person_is_and_which_patients_they_may_see(
    issue: Issue, introspect: Introspect, make_person: MakePerson
) -> None:
    person = make_person("amy", "dan", is_="Practitioner/dr-green")

    told = issue(person=person, patient="amy", scope="patient/Patient.rs user/Observation.rs")

    claims = introspect(told["access_token"])
    assert claims["fhirUser"] == f"{BASE}/Practitioner/dr-green"
    assert claims["__patients"] == ["amy", "dan"]
    assert not {"fhirUser", "__patients"} & {*told, *payload(told["access_token"])}


@pytest.mark.requirement("SD-24")
@pytest.mark.parametrize("scope", ["patient/*.rs", "launch/patient", "patient/Observation.rs?code=http://user/x|1"])
def test_without_user_scopes_nobody_hears_it(issue: Issue, introspect: Introspect, scope: str) -> None:
    claims = introspect(issue(scope=scope)["access_token"])

    assert not {"fhirUser", "__patients"} & claims.keys()


@pytest.mark.requirement("IN-04")
def test_an_app_that_learns_who_the_person_is_tells_the_resource_server_too(
    issue: Issue, introspect: Introspect
) -> None:
    told = issue(scope="openid fhirUser patient/*.rs")

    claims, id_token = introspect(told["access_token"]), payload(told["id_token"])
    assert (claims["iss"], claims["sub"]) == (id_token["iss"], id_token["sub"])
    assert claims["fhirUser"] == id_token["fhirUser"] == f"{BASE}/Patient/amy"
    assert "__patients" not in claims


@pytest.mark.requirement("IN-04")
@pytest.mark.parametrize("scope", ["openid fhirUser", "user/*.rs"])
def test_of_a_person_who_is_nobody_at_the_fhir_server_no_url_is_told(grant: Grant, scope: str) -> None:
    nobody = AuthorizationState.of(grant().authorization.pk)._replace(fhir_user="")

    assert "fhirUser" not in person_claims.person_claims(nobody, scope)


@pytest.mark.requirement("SD-24")
def test_patients_of_another_base_are_not_told(
    issue: Issue, introspect: Introspect, make_person: MakePerson, other_fhir_server: Any
) -> None:
    person = make_person("amy")
    elsewhere = FhirIdentity.objects.create(user=person, fhir_server=other_fhir_server, resource="Practitioner/x")
    record, _ = PatientRecord.objects.get_or_create(fhir_server=other_fhir_server, patient="foreign")
    ActsFor.objects.create(identity=elsewhere, record=record)

    claims = introspect(issue(person=person, scope="user/*.rs")["access_token"])

    assert claims["__patients"] == ["amy"]


@pytest.mark.requirement("SD-24")
@pytest.mark.parametrize(("most", "listed"), [(2, False), (3, True)])
def test_of_more_patients_than_an_answer_holds_no_list_is_told(
    issue: Issue, introspect: Introspect, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch, most: int,
    listed: bool,
) -> None:  # fmt: skip
    person = make_person("amy", "dan", "ben")
    monkeypatch.setattr(person_claims, "MOST", most)

    claims = introspect(issue(person=person, scope="user/*.rs")["access_token"])

    assert ("__patients" in claims) is listed
    assert claims["fhirUser"]


@pytest.mark.requirement("RF-11", "SD-24")
def test_a_refresh_asks_again_which_patients_the_person_may_see(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, introspect: Introspect
) -> None:
    client, person = refreshing_client(make_client, "none"), make_person("amy", "dan", is_="Practitioner/dr-green")
    scope = "user/Observation.rs offline_access"
    page = visitor.reach_consent(client, person, scope=scope, redirect_uri=HTTPS)
    first = exchange(app, client, redirect_query(visitor.allow(page))["code"])
    ActsFor.objects.filter(identity__user=person, record__patient="dan").delete()

    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], "client_id": client.client_id}
    again = app.post("/o/token", data=form).json()

    assert introspect(again["access_token"])["__patients"] == ["amy"]


@pytest.mark.requirement("SCP-20", "E29")
@pytest.mark.parametrize("scope", ["user/*.rs", "user/*.rs offline_access"])
def test_who_is_nobody_at_the_fhir_server_has_nothing_to_allow_there(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, scope: str
) -> None:
    client, person = refreshing_client(make_client), make_person()
    FhirIdentity.objects.filter(user=person).delete()

    response = visitor.sign_in(visitor.follow(visitor.ask(client, scope=scope, redirect_uri=HTTPS)), person)

    assert redirect_query(response)["error"] == "access_denied"
    assert redirect_query(response)["error_description"] == "there is no record that this user may share"
    assert Authorization.objects.filter(client=client).count() == 0
