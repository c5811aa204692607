"""The field of the start page: a client, a person, a number or a reference is found, by POST alone."""

import re
from typing import Any

import pytest

from accounts import clock
from audit.models import SecurityEvent
from oauth.explain.references import find_refusal
from oauth.models import AccessToken, public_reference
from smart.digests import sha256_hex
from tests.fixture_types import MakeClient, MakePerson, MakeToken
from tests.oauth.explain.test_judgement import part
from tests.operators.admin.conftest import Operator

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

REASON = "redirect_uri is not one of those registered"
DETAILS = {"rule": "AZ-05", "case": "E4", "presented": "https://evil.example/cb"}


def refused(reference: str, client: str = "") -> SecurityEvent:
    return SecurityEvent.objects.create(
        kind="authorize-refused", at=clock.now(), client=client, reference=reference, reason=REASON, **DETAILS
    )


def test_a_client_a_person_and_a_number_lead_to_their_pages(
    operator: Operator, make_client: MakeClient, make_person: MakePerson, make_token: MakeToken
) -> None:
    client, person = make_client(), make_person("amy")
    # a refused request of another test may have the number of a token, and goes first
    token = next(token for token in iter(make_token, None) if find_refusal(public_reference(token.pk)) is None)
    expected = {
        client.client_id: f"/admin/oauth/client/{client.pk}/change/",
        person.username: f"/admin/accounts/user/{person.pk}/change/",
        public_reference(token.pk): f"/admin/oauth/accesstoken/{token.pk}/change/",
    }

    found = {what: operator.post("find/", {"what": what}) for what in expected}

    assert {what: response["Location"] for what, response in found.items()} == expected
    assert {response.status_code for response in found.values()} == {303}


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize("path", ["find/", "explain/"])
def test_a_reference_is_explained_with_what_is_registered(
    operator: Operator, make_client: MakeClient, path: str
) -> None:
    client = make_client(redirect_uris="https://app.example/cb")
    refused("7F3K-29QD", client.client_id)

    response = operator.post(path, {"what": "7f3k-29qd"})

    text = response.content.decode()
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert "<title>Refused: redirect_uri is not one of those registered" in text
    assert "https://evil.example/cb" in text
    assert "https://app.example/cb" in text
    assert f"/admin/oauth/client/{client.pk}/change/" in text


def test_a_reference_in_the_search_of_events_opens_its_event(operator: Operator) -> None:
    event = refused("8F3K-29QD")

    response = operator.get("audit/securityevent/", q="8F3K-29QD")

    assert response["Location"] == f"/admin/audit/securityevent/{event.pk}/change/"


def test_where_nothing_is_kept_under_a_reference_the_list_says_so(operator: Operator) -> None:
    assert "No event is kept under this reference." in operator.page("audit/securityevent/", q="9F3K-29QD")


@pytest.mark.requirement("SB-04")
@pytest.mark.parametrize("path", ["find/", "explain/"])
def test_only_operators_explain_here(operator: Operator, make_person: MakePerson, path: str) -> None:
    refused("7F3K-29QE")
    operator.browser.force_login(make_person("amy"))

    response = operator.post(path, {"what": "7F3K-29QE"})

    assert response.status_code == 403
    assert "This page is for operators" in response.content.decode()
    assert "evil.example" not in response.content.decode()


@pytest.mark.requirement("SB-04")
def test_the_field_of_the_start_page_sends_nothing_in_an_address(operator: Operator) -> None:
    page = operator.page("")

    (form,) = re.findall(r'<form class="sa-find" [^>]*>', page)
    assert 'method="post" action="/admin/find/#verdict"' in form
    assert operator.get("find/", what="7F3K-29QD").status_code == 405


def pasted(token: AccessToken) -> str:
    """A text of which the row has the digest, as it has of a token."""
    text = f"{part({'alg': 'ES256'})}.{part({'jti': token.jti})}.{'A' * 86}"
    AccessToken.objects.filter(pk=token.pk).update(digest=sha256_hex(text))
    return text


@pytest.mark.requirement("SB-04")
def test_a_pasted_token_opens_its_page_and_stands_in_no_address(operator: Operator, make_token: MakeToken) -> None:
    token = make_token()

    response = operator.post("find/", {"what": f" {pasted(token)} "})

    assert (response.status_code, response["Location"]) == (303, f"/admin/oauth/accesstoken/{token.pk}/change/")


@pytest.mark.requirement("AZ-25", "SB-04")
def test_outside_development_operators_have_the_same_page(
    operator: Operator, make_token: MakeToken, settings: Any
) -> None:
    token = make_token()
    text = pasted(token)
    settings.SMARTAUTH_DEV = False

    page = operator.post("explain/", {"what": text}).content.decode()

    assert "<title>Alive: " in page
    assert 'action="/admin/explain/#verdict"' in page
    assert f"/admin/oauth/accesstoken/{token.pk}/change/" in page
    assert "X-Smartauth-Reason" not in page
    for secret in (*text.split("."), token.jti):
        assert secret not in page


@pytest.mark.requirement("SD-07")
def test_a_changed_token_is_explained_and_ends_nothing(operator: Operator, make_token: MakeToken) -> None:
    token = make_token()
    text = pasted(token)
    before = AccessToken.objects.values().get(pk=token.pk)

    response = operator.post("find/", {"what": f"{text[:-1]}B"})

    assert "<title>Changed: not as we issued it - smartauth</title>" in response.content.decode()
    assert AccessToken.objects.values().get(pk=token.pk) == before
