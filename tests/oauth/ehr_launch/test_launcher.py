"""`/launcher`: where somebody plays the EHR, in development only."""

import json
import re
import secrets
from html import unescape
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from oauth.models import Client, EncounterRecord, Launch, PatientRecord
from smart.digests import sha256_hex
from tests.conftest import BASE, App
from tests.fixture_types import MakeClient, MakePerson, MakeVisitor
from tests.oauth.visitor import Visitor

LAUNCH_URL = "https://app.example/start?tab=2"


def signed_in(visitor: Visitor, person: Any) -> httpx.Response:
    """The launcher, as this person sees it."""
    page = visitor.follow(visitor.request("GET", "/launcher"))
    return visitor.sign_in(page, person)


def option(page: httpx.Response, name: str, text: str) -> str:
    """The value of the option with that text in it, of the list with that name."""
    offered = unescape(page.text).partition(f'<select id="{name}"')[2].partition("</select>")[0]
    found = re.search(rf'<option value="(\d+)"[^>]*>[^<]*{re.escape(text)}', offered)
    assert found, page.text
    return found[1]


def ready(page: httpx.Response) -> str:
    """The address to copy."""
    found = re.search(r'readonly value="([^"]+)"', page.text)
    assert found, page.text
    return unescape(found[1])


@pytest.fixture
def client(make_client: MakeClient) -> Any:
    return make_client(launch_urls=LAUNCH_URL, scope="launch patient/*.rs")


@pytest.fixture
def green(make_person: MakePerson) -> Any:
    return make_person("amy", "ben", is_="Practitioner/dr-test")


@pytest.fixture
def visit(green: Any, fhir_server: Any) -> Any:
    record = PatientRecord.objects.get(fhir_server=fhir_server, patient="amy")
    return EncounterRecord.objects.get_or_create(record=record, encounter="visit-of-amy", defaults={"kind": "Visit"})[0]


def fields(page: httpx.Response, client: Any, person: Any, **changes: str) -> dict[str, str]:
    """A form that is filled in, with changes."""
    chosen = {
        "app": option(page, "app", client.client_id),
        "server": option(page, "server", "Harbour Clinic"),
        "user": option(page, "user", person.username),
        "patient": option(page, "patient", "Amy"),
        "banner": "on",
        "do": "prepare",
    }
    return {**chosen, **changes}


@pytest.mark.requirement("EL-01", "EL-02", "EL-05")
def test_a_practitioner_prepares_a_launch(visitor: Visitor, client: Any, green: Any, visit: Any) -> None:
    page = signed_in(visitor, green)
    context = '[{"reference": "ImagingStudy/77"}]'

    made = visitor.send(
        page, **fields(page, client, green, encounter=str(visit.pk), intent="reconcile", fhir_context=context)
    )

    assert made.status_code == 200
    assert made.headers["Cache-Control"] == "no-store"
    url = ready(made)
    handle = parse_qs(urlsplit(url).query)["launch"][0]
    assert url == f"{LAUNCH_URL}&iss={quote(BASE, safe='')}&launch={handle}"
    row = Launch.objects.get(digest=sha256_hex(handle))
    assert (row.client_id, row.user_id, row.patient_vouched) == (client.pk, green.pk, 0)
    assert json.loads(row.context) == {
        "patient": "amy",
        "encounter": "visit-of-amy",
        "need_patient_banner": True,
        "intent": "reconcile",
        "fhirContext": [{"reference": "ImagingStudy/77"}],
    }
    assert f'href="{url}"' in unescape(made.text)


def test_another_choice_brings_other_lists(visitor: Visitor, client: Any, green: Any, visit: Any) -> None:
    page = signed_in(visitor, green)
    assert "Visit" not in re.findall(r"<option[^>]*>([^<]+)", page.text)

    again = visitor.send(page, **fields(page, client, green, do="lists"))

    assert again.status_code == 200
    assert option(again, "encounter", "Visit") == str(visit.pk)
    assert not Launch.objects.filter(client=client).exists()


@pytest.mark.requirement("EL-04")
@pytest.mark.parametrize("launch_url", ["", "javascript:alert(1)", "data:text/html,x"])
def test_only_apps_with_a_launch_url_are_offered(
    visitor: Visitor, client: Any, green: Any, make_client: MakeClient, launch_url: str
) -> None:
    hidden = make_client(launch_urls=launch_url)

    page = signed_in(visitor, green)

    assert client.client_id in page.text
    assert hidden.client_id not in page.text


@pytest.mark.requirement("EL-04", "EL-05")
def test_of_several_launch_urls_one_is_chosen(
    visitor: Visitor, client: Any, green: Any, make_client: MakeClient
) -> None:
    second, one_alone = "https://app.example/embedded", make_client(launch_urls="https://other.example/")
    Client.objects.filter(pk=client.pk).update(launch_urls=f"{LAUNCH_URL} {second}")
    page = visitor.send(signed_in(visitor, green), **fields_of_lists(client))

    first = visitor.send(page, **fields(page, client, green))
    chosen = visitor.send(page, **fields(page, client, green, launch_url=second))
    of_another = visitor.send(page, **fields(page, one_alone, green, launch_url=second))

    assert ready(first).startswith(f"{LAUNCH_URL}&iss=")
    assert ready(chosen).startswith(f"{second}?iss=")
    assert (of_another.status_code, "launch_url is not one of those offered" in of_another.text) == (422, True)
    assert "Where the app opens" not in visitor.send(page, **fields_of_lists(one_alone)).text


def fields_of_lists(client: Any) -> dict[str, str]:
    return {"app": str(client.pk), "do": "lists"}


@pytest.mark.requirement("EL-04", "EL-02")
@pytest.mark.parametrize("name", ["app", "server", "user", "patient", "encounter"])
def test_what_was_not_offered_cannot_be_chosen(visitor: Visitor, client: Any, green: Any, name: str) -> None:
    page = signed_in(visitor, green)

    refused = visitor.send(page, **fields(page, client, green, **{name: "999999999"}))

    assert refused.status_code == 422
    assert f"{name} is not one of those offered; choose again" in refused.text
    assert not Launch.objects.filter(client=client).exists()


@pytest.mark.requirement("LC-03")
def test_the_visit_of_another_patient_is_not_offered(visitor: Visitor, client: Any, green: Any, visit: Any) -> None:
    page = signed_in(visitor, green)

    refused = visitor.send(
        page, **fields(page, client, green, patient=option(page, "patient", "Ben"), encounter=str(visit.pk))
    )

    assert refused.status_code == 422
    assert not Launch.objects.filter(client=client).exists()


@pytest.mark.requirement("LC-07", "LC-08")
@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("{", "fhirContext is not JSON"),
        ("[" * 100_000, "fhirContext is not JSON"),
        ('{"reference": "ImagingStudy/7"}', "fhirContext must be a list of objects"),
        ('[{"reference": "ImagingStudy/7"}, {"role": ""}]', "fhirContext[1] needs one of"),
        ('[{"reference": "Patient/amy"}]', "fhirContext[0] is the Patient of the launch"),
    ],
)
def test_the_path_of_what_is_wrong_in_fhir_context_is_named(
    visitor: Visitor, client: Any, green: Any, written: str, problem: str
) -> None:
    page = signed_in(visitor, green)

    refused = visitor.send(page, **fields(page, client, green, fhir_context=written))

    assert refused.status_code == 422
    assert problem in unescape(refused.text)
    assert not Launch.objects.filter(client=client).exists()


@pytest.mark.requirement("EL-05")
def test_an_operator_launches_for_anybody_a_practitioner_for_nobody_else(
    make_visitor: MakeVisitor, client: Any, green: Any, make_person: MakePerson
) -> None:
    first = f"0-{secrets.token_hex(8)}"  # the list is long, and sorted
    carol, admin = make_person("dan", username=first, is_="RelatedPerson/carol"), make_person()
    admin.is_staff = True
    admin.save()

    seen_by_admin = signed_in(make_visitor(), admin)
    seen_by_green = signed_in(make_visitor(), green)

    assert carol.username in seen_by_admin.text
    assert green.username in seen_by_green.text
    assert carol.username not in seen_by_green.text


@pytest.mark.requirement("EL-05")
def test_a_patient_may_not_compose(visitor: Visitor, client: Any, make_person: MakePerson) -> None:
    page = signed_in(visitor, make_person("amy"))

    assert page.status_code == 403
    assert client.client_id not in page.text


def test_outside_development_there_is_no_launcher(app: App, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False

    for method in ("GET", "POST"):
        assert app.request(method, "/launcher").status_code in (403, 404)
    assert app.get("/launcher").status_code == 404


def test_without_a_session_it_leads_to_the_sign_in_page(visitor: Visitor, client: Any) -> None:
    response = visitor.request("GET", "/launcher")

    assert (response.status_code, response.headers["Location"]) == (303, "/login?to=launcher")


def test_it_says_what_became_of_the_launches_before(visitor: Visitor, client: Any, green: Any) -> None:
    page = signed_in(visitor, green)
    visitor.send(page, **fields(page, client, green))
    waiting = visitor.request("GET", "/launcher")
    Launch.objects.filter(client=client).update(consumed_at=1_000_000)
    used = visitor.request("GET", "/launcher")
    Launch.objects.filter(client=client).update(consumed_at=0, expires_at=1_000_000)
    old = visitor.request("GET", "/launcher")

    assert "It waits for its app until" in waiting.text
    assert "This launch was used at" in used.text
    assert "is too old since" in old.text


def test_without_any_app_it_says_what_is_missing(visitor: Visitor, green: Any) -> None:
    Client.objects.exclude(launch_urls="").update(launch_urls="")  # what tests before this one left

    page = signed_in(visitor, green)

    assert "No app can be launched yet. Give a client a launch URL in the admin." in page.text
    assert "<form" not in page.text.partition("<main")[2]


@pytest.mark.requirement("LC-05")
def test_the_style_of_the_launcher_is_there_for_every_origin(
    app: App, visitor: Visitor, client: Any, green: Any
) -> None:
    page = signed_in(visitor, green)
    named = re.search(r'value="(http[^"]+/o/style/[0-9a-f]+\.json)"', page.text)
    assert named

    response = app.get(named[1], headers={"Origin": "https://app.example"})

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.json().keys() == {
        "color_background", "color_error", "color_highlight", "color_modal_backdrop", "color_success", "color_text",
        "dim_border_radius", "dim_font_size", "dim_spacing_size", "font_family_body", "font_family_heading",
    }  # fmt: skip
    assert app.get("/o/style/0000.json").status_code == 404
