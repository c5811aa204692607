"""What a client lost while its user was on the consent page is not granted."""

from collections.abc import Callable
from typing import Any

import pytest

from oauth.authorization.rights_at_consent import current_scope
from oauth.models import Authorization, Client, FhirServer
from smart.fhir.versions import NO_FHIR
from smart.http.errors import OAuthError
from tests.fixture_types import MakeClient, MakePerson
from tests.oauth.authorization.waiting_requests import asked, wait
from tests.oauth.visitor import Visitor, line_number, redirect_query

SCOPE = "launch/patient patient/Observation.rs patient/Condition.rs offline_access"


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client(grants="authorization_code refresh_token", scope=SCOPE)


def lose_scope(client: Client) -> None:
    Client.objects.filter(pk=client.pk).update(scope="launch/patient patient/Condition.rs offline_access")


def lose_refresh_grant(client: Client) -> None:
    Client.objects.filter(pk=client.pk).update(grants="authorization_code")


def lose_every_scope(client: Client) -> None:
    Client.objects.filter(pk=client.pk).update(scope="")


def lose_server(client: Client) -> None:
    client.fhir_servers.clear()


def lose_code_grant(client: Client) -> None:
    Client.objects.filter(pk=client.pk).update(grants="client_credentials")


def become_plain_openid(client: Client) -> None:
    Client.objects.filter(pk=client.pk).update(profile="openid")


NO_BASE = "aud is not a FHIR base that this client may use here"


@pytest.mark.requirement("RF-11", "SCP-20")
@pytest.mark.parametrize(
    ("lose", "left"),
    [
        (lose_scope, {"launch/patient", "patient/Condition.rs", "offline_access"}),
        (lose_refresh_grant, {"launch/patient", "patient/Observation.rs", "patient/Condition.rs"}),
    ],
)
def test_what_the_client_may_no_longer_ask_is_not_granted(
    visitor: Visitor, client: Client, make_person: MakePerson, lose: Callable[[Client], None], left: set[str]
) -> None:
    page = visitor.reach_consent(client, make_person("amy"), scope=SCOPE)
    lose(client)

    response = visitor.allow(page)

    assert redirect_query(response)["code"]
    assert set(Authorization.objects.get(client=client).scope.split()) == left


@pytest.mark.requirement("RF-11", "SCP-20")
def test_the_page_asks_for_no_more_than_the_client_may_have_today(
    visitor: Visitor, client: Client, make_person: MakePerson
) -> None:
    page = visitor.reach_consent(client, make_person("amy"), scope=SCOPE)
    before = page.text
    lose_scope(client)

    after = visitor.request("GET", page.url.path).text

    assert "Test results and measurements" in before
    assert "Test results and measurements" not in after


@pytest.mark.requirement("RF-11", "AZ-14")
def test_where_nothing_is_left_of_what_was_ticked_the_page_asks_anew(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client(scope="patient/Goal.rs patient/MedicationRequest.rs")
    page = visitor.reach_consent(client, make_person("amy"), scope=client.scope)
    medicines = line_number(page, "Prescribed medicines")
    Client.objects.filter(pk=client.pk).update(scope="patient/Goal.rs")

    anew = visitor.allow(page, ask=[medicines])

    assert anew.status_code == 200
    assert "Prescribed medicines" not in anew.text
    assert "Nothing is ticked." not in anew.text


@pytest.mark.requirement("RF-11", "AZ-08")
@pytest.mark.parametrize(
    ("lose", "error", "words"),
    [
        (lose_every_scope, "invalid_scope", "none of the scopes can be granted to this client: launch/patient"),
        (lose_server, "invalid_request", NO_BASE),
        (lose_code_grant, "unauthorized_client", "this client may not use the authorization code grant"),
        (become_plain_openid, "invalid_request", NO_BASE),
    ],
)
def test_a_client_that_lost_the_right_to_ask_hears_what_a_new_request_would_hear(
    visitor: Visitor, client: Client, make_person: MakePerson, lose: Callable[[Client], None], error: str, words: str
) -> None:
    page = visitor.reach_consent(client, make_person("amy"), scope=SCOPE)
    lose(client)

    told = redirect_query(visitor.allow(page))

    assert told["error"] == error
    assert told["error_description"].startswith(words)
    assert not Authorization.objects.filter(client=client).exists()


@pytest.mark.requirement("RF-11")
def test_a_client_that_refuses_unknown_scopes_gets_all_or_nothing(
    visitor: Visitor, client: Client, make_person: MakePerson
) -> None:
    Client.objects.filter(pk=client.pk).update(refuses_unknown_scopes=1)
    page = visitor.reach_consent(client, make_person("amy"), scope=SCOPE)
    lose_scope(client)

    response = visitor.allow(page)

    assert redirect_query(response)["error"] == "invalid_scope"


@pytest.mark.requirement("RF-11", "SCP-17")
@pytest.mark.parametrize("grants", ["authorization_code refresh_token", "authorization_code"])
def test_no_refresh_is_promised_to_a_client_without_that_grant(
    make_client: MakeClient, fhir_server: Any, grants: str
) -> None:
    for kind in ("offline_access", "online_access"):
        scope = f"patient/Observation.rs {kind}"
        client = make_client(grants=grants, scope=scope)

        allowed = current_scope(wait(client, fhir_server, request=asked(scope=scope)))

        assert allowed == (scope if "refresh_token" in grants else "patient/Observation.rs")


@pytest.mark.requirement("RF-11", "ID-01")
@pytest.mark.parametrize(
    ("profile", "registered", "error"),
    [
        ("openid", "openid profile", ""),
        ("openid", "profile", "none of the scopes can be granted"),
        ("smart", "openid profile", "aud is not a FHIR base"),
    ],
)
def test_a_plain_openid_client_stays_one_that_may_have_openid(
    make_client: MakeClient, profile: str, registered: str, error: str
) -> None:
    client = make_client(profile=profile, scope=registered)
    request = asked(openid=True, scope="openid profile", fhir_version=NO_FHIR)
    pending = wait(client, FhirServer.userinfo(), request=request)

    if error:
        with pytest.raises(OAuthError, match=error):
            current_scope(pending)
    else:
        assert current_scope(pending) == "openid profile"


@pytest.mark.requirement("RF-11", "AZ-25")
def test_who_lost_a_scope_hears_of_what_is_left_and_not_of_another_kind_of_client(make_client: MakeClient) -> None:
    client = make_client(profile="openid", scope="profile")
    pending = wait(client, FhirServer.userinfo(), request=asked(openid=True, scope="openid email"))

    with pytest.raises(OAuthError) as refused:
        current_scope(pending)

    each = [f"{name} (is more than is registered for this client)" for name in ("openid", "email")]
    assert refused.value.description == f"none of the scopes can be granted to this client: {', '.join(each)}"
    assert refused.value.why["expected"] == "profile"


@pytest.mark.requirement("RF-11", "ID-01")
def test_a_smart_app_reaches_no_user_info_although_it_is_on_its_list(make_client: MakeClient) -> None:
    client = make_client(scope="openid profile")
    client.fhir_servers.add(FhirServer.userinfo())

    with pytest.raises(OAuthError, match="aud is not a FHIR base"):
        current_scope(wait(client, FhirServer.userinfo(), request=asked(openid=True, scope="openid profile")))
