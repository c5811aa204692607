"""Why an introspection answers {"active":false}: told to developers alone."""

from typing import Any

import pytest

from accounts import clock
from oauth.models import AccessToken
from smart.digests import sha256_hex
from tests.conftest import SECRET, App, basic
from tests.explained import HEADER
from tests.fixture_types import Issue, MakeResourceServer


@pytest.fixture
def asked(app: App, make_resource_server: MakeResourceServer) -> Any:
    """The reason that an introspection of a token is answered with, without its reference."""

    def ask(token: str, *servers: Any, **form: str) -> str:
        client = make_resource_server(*servers)
        client.protects.update(tells_addresses=1)
        data = {"token": token, **form}
        response = app.post("/o/introspect", data=data, headers=basic(client.client_id, SECRET))
        assert response.content == b'{"active":false}'
        return str(response.headers[HEADER]).rpartition(" (")[0]

    return ask


@pytest.mark.requirement("AZ-25", "LV-01", "IN-06", "E107")
def test_what_was_never_issued_and_what_came_back_changed_are_told_apart(asked: Any, issue: Issue) -> None:
    token = issue()["access_token"]
    header, payload, signature = token.split(".")
    changed = f"{header}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"

    reasons = [asked("garbage"), asked("e30.eyJqdGkiOiJ1bmtub3duIn0.AAAA"), asked(changed), asked(token)]

    assert reasons == [
        "LV-01 We issued no such token",
        "LV-01 We issued no such token",
        "SD-07 it came back changed, so the real one has ended: another signature under our header and payload",
        "LV-02 It came back changed, so we ended the real one",
    ]


@pytest.mark.requirement("AZ-25", "LV-09", "LV-10")
def test_the_first_cause_is_told_although_the_token_has_expired_since(asked: Any, issue: Issue) -> None:
    first, alone = issue(), issue()
    issue(first["granted"].client, first["granted"].person)
    tokens = [answer["access_token"] for answer in (first, alone)]
    AccessToken.objects.filter(digest__in=map(sha256_hex, tokens)).update(expires_at=clock.now())

    assert list(map(asked, tokens)) == ["LV-09 A newer token took its place", "LV-10 Its time ran out"]


@pytest.mark.requirement("AZ-25", "IN-06", "PR-06")
def test_the_token_of_another_fhir_server_and_one_used_elsewhere_are_told_as_that(
    asked: Any, issue: Issue, fhir_server: Any, other_fhir_server: Any
) -> None:
    answer = issue()

    foreign = asked(answer["access_token"], other_fhir_server)
    answer["granted"].authorization.__class__.objects.filter(pk=answer["granted"].authorization.pk).update(
        use_address="203.0.113.5"
    )
    answer["granted"].client.address_policy = "block"
    answer["granted"].client.save(update_fields=["address_policy"])
    moved = asked(answer["access_token"], __client_ip="198.51.100.9")

    assert foreign == "IN-07 the caller is no resource server of the FHIR server that the token is for"
    assert moved == "PR-06 it was used from another address, and the policy is block"
