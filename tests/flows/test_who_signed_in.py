"""A launch that asks who signs in, against a real server: ID token, UserInfo and the resource of fhirUser itself."""

import httpx
import pytest

from tests.flows.app import StandaloneLaunch, introspect
from tests.oauth.jwt import payload
from tests.running import Server

PEOPLE = [
    ("amy", "Patient/amy", ""),
    ("carol", "RelatedPerson/carol", "Dan"),
    ("dr-green", "Practitioner/dr-green", "Amy"),
]


@pytest.mark.requirement("ID-03", "IN-04")
@pytest.mark.parametrize(("username", "resource", "patient"), PEOPLE, ids=[name for name, *_ in PEOPLE])
@pytest.mark.parametrize("rest", ["", " launch/patient patient/Observation.rs"], ids=["alone", "with records"])
def test_who_signed_in_can_be_read_with_the_token_that_came_with_it(
    server: Server, username: str, resource: str, patient: str, rest: str
) -> None:
    launch = StandaloneLaunch(server, username, patient=patient, scope=f"openid fhirUser{rest}")
    told = launch.exchange(launch.code()).json()
    bearer = {"Authorization": f"Bearer {told['access_token']}"}

    claims = payload(told["id_token"])
    read = httpx.get(claims["fhirUser"], headers=bearer, timeout=30)
    userinfo = httpx.get(f"{server.url}/o/userinfo", headers=bearer, timeout=30)
    other = httpx.get(f"{server.url}/fhir/r4/Practitioner/dr-okafor", headers=bearer, timeout=30)
    as_access_token = {"Authorization": f"Bearer {told['id_token']}"}

    assert claims["fhirUser"] == f"{server.url}/fhir/r4/{resource}"
    assert read.status_code == 200
    assert f"{read.json()['resourceType']}/{read.json()['id']}" == resource
    assert userinfo.json() == {"sub": claims["sub"], "fhirUser": claims["fhirUser"]}
    assert introspect(server, told["access_token"])["fhirUser"] == claims["fhirUser"]
    assert other.status_code in (403, 404)
    assert httpx.get(claims["fhirUser"], headers=as_access_token, timeout=30).status_code == 401
