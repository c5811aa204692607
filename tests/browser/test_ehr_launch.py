"""The whole way of an EHR launch, in Chromium: composed at /launcher, opened in a new tab, decided, and back."""

import base64
import hashlib
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import looks_right, sign_in
from tests.fixture_types import Visit
from tests.running import Server

pytestmark = pytest.mark.browser
WIDTHS = [1280, 390]
VERIFIER = secrets.token_urlsafe(32)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPE = "launch patient/Patient.rs patient/Observation.rs patient/Encounter.rs"
BACK = b"<!doctype html><title>App</title><link rel=icon href=data:,><h1>Back at the app</h1>"
SEED = """
clients:
  - client_id: ehr-growth-chart
    name: Growth Chart
    maker: Little Steps Software
    authentication: none
    scope: launch patient/*.rs
    fhir_servers: ["{{issuer}}/fhir/r4"]
    redirect_uris: ["{origin}/cb"]
    launch_url: "{origin}/launch?tab=growth"
"""


class App:
    """An app of another origin that an EHR opens: it sends its user to authorize and remembers what came back."""

    def __init__(self) -> None:
        app, self.launched, self.came_back = self, list[dict[str, list[str]]](), list[dict[str, list[str]]]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                if self.path.startswith("/launch"):
                    app.launched.append(query)
                    self.send_response(302)
                    self.send_header("Location", app.authorize(query["iss"][0], query["launch"][0]))
                    self.end_headers()
                    return
                if self.path.startswith("/cb"):
                    app.came_back.append(query)
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(BACK)

            def log_message(self, *_: object) -> None:
                """Keeps the test's output quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def authorize(self, iss: str, launch: str) -> str:
        """Where the app sends its user, as it learns from the FHIR base."""
        configuration = httpx.get(f"{iss}/.well-known/smart-configuration").json()
        assert "launch-ehr" in configuration["capabilities"]
        asked = {
            "response_type": "code", "client_id": "ehr-growth-chart", "redirect_uri": f"{self.origin}/cb",
            "scope": SCOPE, "state": "state-1", "aud": iss, "launch": launch,
            "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{configuration['authorization_endpoint']}?{urlencode(asked)}"

    def token(self, server: Server) -> dict[str, Any]:
        """What the token endpoint answers to the code that came back last."""
        form = {
            "grant_type": "authorization_code", "code": self.came_back[-1]["code"][0],
            "redirect_uri": f"{self.origin}/cb", "client_id": "ehr-growth-chart", "code_verifier": VERIFIER,
        }  # fmt: skip
        response = httpx.post(f"{server.url}/o/token", data=form)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found


@pytest.fixture(scope="module")
def growth(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    app = App()
    seed = tmp_path_factory.mktemp("seed") / "app.yaml"
    seed.write_text(SEED.format(origin=app.origin))
    server.manage("seed", str(seed))
    yield app
    app.server.shutdown()


def compose(page: Page) -> None:
    """Chooses Growth Chart and Dan, and one of Dan's visits."""
    page.get_by_label("App", exact=True).select_option(label="Growth Chart (ehr-growth-chart)")
    page.get_by_role("button", name="Update the lists").click()
    page.get_by_label("Patient", exact=True).select_option(label="Dan Reyes, born 4 May 2017")
    page.get_by_role("button", name="Update the lists").click()
    page.get_by_label("Visit").select_option(index=1)
    page.get_by_label("Intent").fill("reconcile-medications")
    page.get_by_text("More context").click()
    page.get_by_label("fhirContext").fill('[{"reference": "DiagnosticReport/77"}]')


@pytest.mark.requirement("EL-01", "EL-05", "AZ-10")
@pytest.mark.requirement("LC-01", "LC-02", "LC-04")
@pytest.mark.requirement("LC-05", "LC-06", "LC-07")
@pytest.mark.parametrize("width", WIDTHS)
def test_dr_green_opens_an_app_from_the_ehr_and_it_knows_patient_and_visit(
    server: Server, growth: App, visit: Visit, width: int
) -> None:
    with visit(width) as page:
        page.goto(f"{server.url}/launcher")
        sign_in(page, "dr-green")
        compose(page)
        page.get_by_role("button", name="Prepare the launch").click()
        page.get_by_role("heading", name="Ready, until").wait_for()
        looks_right(page, f"launcher-{width}")
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Open Growth Chart (new tab)").click()
        tab = opened.value
        tab.get_by_role("heading", name="use the health record of Dan Reyes?").wait_for()
        looks_right(tab, f"ehr-consent-{width}")
        tab.get_by_role("button", name="Allow access").click()
        tab.get_by_role("heading", name="Back at the app").wait_for()
        page.goto(f"{server.url}/launcher")
        assert "This launch was used at" in page.content()

    assert growth.launched[-1]["tab"] == ["growth"]
    assert growth.launched[-1]["iss"] == [f"{server.url}/fhir/r4"]
    told = growth.token(server)
    assert (told["patient"], told["need_patient_banner"], told["intent"]) == ("dan", True, "reconcile-medications")
    assert told["fhirContext"] == [{"reference": "DiagnosticReport/77"}]
    headers = {"Authorization": f"Bearer {told['access_token']}"}
    encounter = httpx.get(f"{server.url}/fhir/r4/Encounter/{told['encounter']}", headers=headers)
    assert (encounter.status_code, encounter.json()["subject"]["reference"]) == (200, "Patient/dan")
    assert httpx.get(told["smart_style_url"]).json()["color_background"]


@pytest.mark.requirement("E27")
@pytest.mark.parametrize("width", WIDTHS)
def test_a_launch_for_another_user_leads_to_that_users_sign_in(
    server: Server, growth: App, visit: Visit, width: int
) -> None:
    with visit(width, refusals=True) as page:
        page.goto(f"{server.url}/launcher")
        sign_in(page, "admin")
        page.get_by_label("Who is using it").select_option(label="dr-green (Dr Ruth Green)")
        compose(page)
        page.get_by_role("button", name="Prepare the launch").click()
        page.goto(page.get_by_label("Or copy this address").input_value())
        page.get_by_role("heading", name="This launch was made for another user").wait_for()
        looks_right(page, f"another-user-{width}")
        page.get_by_role("button", name="Sign in as another user").click()
        sign_in(page, "dr-green")
        page.get_by_role("button", name="Allow access").click()
        page.get_by_role("heading", name="Back at the app").wait_for()

    assert growth.token(server)["patient"] == "dan"


@pytest.mark.requirement("E27", "WF-12")
def test_who_is_not_meant_goes_back_to_the_app(server: Server, growth: App, visit: Visit) -> None:
    with visit(390, "dark", refusals=True) as page:
        page.goto(f"{server.url}/launcher")
        sign_in(page, "admin")
        compose(page)
        page.get_by_role("button", name="Prepare the launch").click()
        page.goto(page.get_by_label("Or copy this address").input_value())
        looks_right(page, "another-user-dark-390")
        page.get_by_role("button", name="Cancel and go back").click()
        page.get_by_role("heading", name="Back at the app").wait_for()

    assert growth.came_back[-1]["error"] == ["access_denied"]


@pytest.mark.requirement("LC-07", "LC-08")
def test_what_is_wrong_in_the_context_is_said_above_the_form(server: Server, growth: App, visit: Visit) -> None:
    with visit(390, "dark", refusals=True) as page:
        page.goto(f"{server.url}/launcher")
        sign_in(page, "dr-green")
        compose(page)
        page.get_by_label("fhirContext").fill('[{"reference": "Patient/dan"}]')
        page.get_by_role("button", name="Prepare the launch").click()
        page.get_by_role("alert").get_by_text("fhirContext[0] is the Patient of the launch").wait_for()
        looks_right(page, "launcher-wrong-dark-390")
        assert page.get_by_label("Intent").input_value() == "reconcile-medications"
