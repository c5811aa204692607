"""Granular consent in Chromium: a patient, a parent and a practitioner decide by kinds, visits and time."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import looks_right, sign_in
from tests.browser.test_standalone_launch import CHALLENGE, VERIFIER, WIDTHS, App
from tests.fixture_types import Visit
from tests.running import Server

pytestmark = pytest.mark.browser

CLIENT = "chart-reader"
LAB = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
PROBLEMS = "http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item"
SEED = """
clients:
  - client_id: chart-reader
    name: Chart Reader
    maker: Little Steps Software
    authentication: none
    grants: [authorization_code, refresh_token]
    scope: launch/patient launch/encounter patient/*.cruds user/*.rs offline_access
    fhir_servers: ["{{issuer}}/fhir/r4"]
    redirect_uris: ["{redirect_uri}"]
"""


@pytest.fixture(scope="module")
def app_(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    app = App()
    seed = tmp_path_factory.mktemp("seed") / "app.yaml"
    seed.write_text(SEED.format(redirect_uri=app.redirect_uri))
    server.manage("seed", str(seed))
    yield app
    app.server.shutdown()


def asked(server: Server, app: App, scope: str, **more: str) -> str:
    """What the app sends the browser to."""
    request = {
        "response_type": "code", "client_id": CLIENT, "redirect_uri": app.redirect_uri, "scope": scope,
        "state": "state-of-the-app", "aud": f"{server.url}/fhir/r4", "code_challenge": CHALLENGE,
        "code_challenge_method": "S256", **more,
    }  # fmt: skip
    return f"{server.url}/o/authorize?{urlencode(request)}"


def bought(server: Server, app: App) -> dict[str, Any]:
    """What the token endpoint answers to the code that came back last."""
    form = {
        "grant_type": "authorization_code", "code": app.came_back[-1]["code"][0], "redirect_uri": app.redirect_uri,
        "client_id": CLIENT, "code_verifier": VERIFIER,
    }  # fmt: skip
    response = httpx.post(f"{server.url}/o/token", data=form)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def read(server: Server, token: dict[str, Any], path: str) -> httpx.Response:
    return httpx.get(
        f"{server.url}/fhir/r4/{path}", headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=30
    )


def allow(page: Page) -> None:
    page.get_by_role("button", name="Allow access").click()
    page.get_by_role("heading", name="Back at the app").wait_for()


def kinds(page: Page, group: str) -> Any:
    return page.get_by_role("group", name=group)


@pytest.mark.requirement("AZ-14", "SCP-12", "ON-05")
@pytest.mark.parametrize("width", WIDTHS)
def test_amy_shares_laboratory_results_and_long_term_problems_for_now(
    server: Server, app_: App, visit: Visit, width: int
) -> None:
    scope = "launch/patient patient/Patient.rs patient/Observation.rs patient/Condition.rs offline_access"

    with visit(width, refusals=True) as page:
        page.goto(asked(server, app_, scope))
        sign_in(page, "amy")
        tests, problems = kinds(page, "Test results and measurements"), kinds(page, "Health problems and diagnoses")
        expect(tests.get_by_label("Vital signs")).to_be_hidden()
        tests.get_by_role("radio", name="Only some kinds").check()
        for box in tests.get_by_role("checkbox").all():
            box.uncheck()
        page.get_by_role("button", name="Allow access").click()
        expect(page.get_by_role("alert")).to_contain_text("No kind is ticked.")
        looks_right(page, f"consent-kindless-{width}")
        tests.get_by_role("checkbox", name="Laboratory results").check()
        problems.get_by_role("radio", name="Only some kinds").check()
        problems.get_by_role("checkbox", name="Diagnoses from visits").uncheck()
        problems.get_by_role("checkbox", name="Health concerns").uncheck()
        page.get_by_role("radio", name="Only now").check()
        looks_right(page, f"consent-kinds-amy-{width}")
        allow(page)

    token = bought(server, app_)
    assert token["scope"].split() == [
        "launch/patient", "patient/Patient.rs", f"patient/Observation.rs?category={LAB}",
        f"patient/Condition.rs?category={PROBLEMS}",
    ]  # fmt: skip
    assert "refresh_token" not in token
    found = [read(server, token, path).status_code for path in ("Observation/amy-hba1c-1", "Observation/amy-weight-1")]
    assert found == [200, 404]
    assert [read(server, token, f"Condition/{name}").status_code for name in ("amy-asthma", "amy-sinusitis")] == [
        200, 404
    ]  # fmt: skip


@pytest.mark.requirement("AZ-12", "AZ-14", "SCP-13")
@pytest.mark.parametrize("width", WIDTHS)
def test_carol_chooses_a_visit_of_dan_and_of_everything_two_types(
    server: Server, app_: App, visit: Visit, width: int
) -> None:
    with visit(width) as page:
        page.goto(asked(server, app_, "launch/patient launch/encounter patient/*.rs offline_access"))
        sign_in(page, "carol")
        page.get_by_role("radio", name="Dan").check()
        page.get_by_role("button", name="Continue with this patient").click()
        page.get_by_role("radio", name="Ear pain").check()
        looks_right(page, f"visit-{width}")
        page.get_by_role("button", name="Continue with this visit").click()
        everything = kinds(page, "Everything in the record of Dan")
        everything.get_by_role("radio", name="Only some kinds").check()
        for box in everything.get_by_role("checkbox").all():
            box.uncheck()
        everything.get_by_role("checkbox", name="Test results and measurements").check()
        everything.get_by_role("checkbox", name="Visits and hospital stays").check()
        looks_right(page, f"consent-kinds-carol-{width}")
        allow(page)

    token = bought(server, app_)
    assert (token["patient"], token["encounter"]) == ("dan", "dan-visit-2")
    assert set(token["scope"].split()) == {
        "launch/patient", "launch/encounter", "patient/Observation.rs", "patient/Encounter.rs", "offline_access"
    }  # fmt: skip
    assert token["refresh_token"]
    assert read(server, token, "Encounter/dan-visit-2").status_code == 200
    assert read(server, token, "Condition/dan-eczema").status_code == 403


@pytest.mark.requirement("AZ-14", "US-01", "US-04")
@pytest.mark.parametrize("width", WIDTHS)
def test_dr_green_shares_what_they_may_see_and_one_patient_of_it(
    server: Server, app_: App, visit: Visit, width: int
) -> None:
    with visit(width) as page:
        page.goto(asked(server, app_, "launch/patient patient/Condition.rs user/Observation.rs user/Practitioner.rs"))
        sign_in(page, "dr-green")
        page.get_by_label("Find a patient").fill("Amy")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("radio", name="Amy").check()
        page.get_by_role("button", name="Continue with this patient").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("use what you may see at Harbour Clinic"))
        seen = kinds(page, "Test results and measurements of every patient that you may see at Harbour Clinic")
        seen.get_by_role("radio", name="Only some kinds").check()
        for box in seen.get_by_role("checkbox").all():
            box.uncheck()
        seen.get_by_role("checkbox", name="Laboratory results").check()
        looks_right(page, f"consent-kinds-dr-green-{width}")
        allow(page)

    token = bought(server, app_)
    assert token["patient"] == "amy"
    statuses = [
        read(server, token, path).status_code
        for path in (
            "Observation/amy-hba1c-1",
            "Observation/ben-hba1c-1",
            "Observation/ben-weight-1",
            "Condition/amy-asthma",
            "Condition/ben-diabetes",
            "Practitioner/dr-green",
        )
    ]
    assert statuses == [200, 200, 404, 200, 404, 200]


@pytest.mark.requirement("AZ-22")
def test_a_new_login_is_asked_for_and_the_expected_name_stands_there(server: Server, app_: App, visit: Visit) -> None:
    with visit(1280) as page:
        page.goto(asked(server, app_, "patient/Patient.rs"))
        sign_in(page, "amy")
        page.get_by_role("button", name="Allow access").wait_for()
        page.goto(asked(server, app_, "patient/Patient.rs", prompt="login", login_hint="ben"))
        expect(page.get_by_label("User name")).to_have_value("ben")
        page.get_by_label("Password").fill("smartauth-demo")
        page.get_by_role("button", name="Sign in").click()
        allow(page)

    assert bought(server, app_)["patient"] == "ben"
