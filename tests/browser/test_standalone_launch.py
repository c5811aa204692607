"""The whole way of a person, in Chromium: sign in, choose a record, decide, and back at the app."""

import base64
import hashlib
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import looks_right
from tests.fixture_types import Visit
from tests.running import Server

pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDTHS = [1280, 390]
VERIFIER = secrets.token_urlsafe(32)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SEED = """
clients:
  - client_id: growth-chart
    name: Growth Chart
    maker: Little Steps Software
    authentication: none
    scope: launch/patient patient/*.cruds
    fhir_servers: ["{{issuer}}/fhir/r4"]
    redirect_uris: ["{redirect_uri}"]
"""


class App:
    """An app of another origin: it only remembers what came back."""

    def __init__(self) -> None:
        came_back = self.came_back = []  # type: list[dict[str, list[str]]]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/cb"):
                    came_back.append(parse_qs(urlsplit(self.path).query))
                body = b"<!doctype html><title>App</title><link rel=icon href=data:,><h1>Back at the app</h1>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keeps the test's output quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.redirect_uri = f"http://127.0.0.1:{self.server.server_port}/cb"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def app_(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    app = App()
    seed = tmp_path_factory.mktemp("seed") / "app.yaml"
    seed.write_text(SEED.format(redirect_uri=app.redirect_uri))
    server.manage("seed", str(seed))
    yield app
    app.server.shutdown()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


def asked(server: Server, app: App, state: str) -> str:
    """What the app sends the browser to."""
    return f"{server.url}/o/authorize?" + urlencode(
        {
            "response_type": "code",
            "client_id": "growth-chart",
            "redirect_uri": app.redirect_uri,
            "scope": "launch/patient patient/Patient.rs patient/Observation.crs patient/Condition.read",
            "state": state,
            "aud": f"{server.url}/fhir/r4",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
    )


def sign_in(page: Page, name: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill("smartauth-demo")
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.requirement("WF-12", "AZ-12", "AZ-16")
@pytest.mark.parametrize("width", WIDTHS)
def test_carol_chooses_dan_leaves_something_out_and_the_app_gets_its_code(
    server: Server, app_: App, visit: Visit, width: int
) -> None:
    state = secrets.token_urlsafe(16)

    with visit(width) as page:
        page.goto(asked(server, app_, state))
        looks_right(page, f"login-{width}")
        sign_in(page, "carol")
        page.get_by_role("radio", name="Dan").check()
        looks_right(page, f"picker-{width}")
        page.get_by_role("button", name="Continue with this patient").click()
        page.get_by_role("group", name="Health problems and diagnoses").get_by_role("radio", name="None").check()
        looks_right(page, f"consent-{width}")
        page.get_by_role("button", name="Allow access").click()
        page.get_by_role("heading", name="Back at the app").wait_for()

    answer = app_.came_back[-1]
    assert answer["state"] == [state]
    assert answer["iss"] == [server.url]
    token = exchanged(server, app_, answer["code"][0])
    assert token["patient"] == "dan"
    assert token["scope"] == "launch/patient patient/Patient.rs patient/Observation.crs"


@pytest.mark.requirement("WF-12", "AZ-12")
@pytest.mark.parametrize("width", WIDTHS)
def test_amy_has_one_record_and_is_not_asked_which(server: Server, app_: App, visit: Visit, width: int) -> None:
    with visit(width, "dark") as page:
        page.goto(asked(server, app_, "amy-state"))
        sign_in(page, "amy")
        page.get_by_role("heading", name="use your health record?").wait_for()
        looks_right(page, f"consent-amy-dark-{width}")
        page.get_by_role("button", name="Allow access").click()
        page.get_by_role("heading", name="Back at the app").wait_for()

    assert exchanged(server, app_, app_.came_back[-1]["code"][0])["patient"] == "amy"


@pytest.mark.requirement("E31", "WF-12")
def test_a_person_says_no_without_a_mouse_and_the_app_hears_it(server: Server, app_: App, visit: Visit) -> None:
    with visit(1280) as page:
        page.goto(asked(server, app_, "no-state"))
        page.get_by_label("User name").focus()
        page.keyboard.type("ben")
        page.keyboard.press("Tab")
        page.keyboard.type("smartauth-demo")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Do not allow").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Back at the app").wait_for()

    assert app_.came_back[-1]["error"] == ["access_denied"]
    assert "code" not in app_.came_back[-1]


@pytest.mark.requirement("AZ-20")
def test_two_tabs_do_not_mix_their_requests(server: Server, app_: App, visit: Visit) -> None:
    with visit(1280) as first:
        first.goto(asked(server, app_, "first-tab"))
        sign_in(first, "amy")
        first.get_by_role("heading", name="use your health record?").wait_for()
        second = first.context.new_page()
        second.goto(asked(server, app_, "second-tab"))
        second.get_by_role("heading", name="use your health record?").wait_for()

        first.get_by_role("button", name="Allow access").click()
        first.get_by_role("heading", name="Back at the app").wait_for()
        second.get_by_role("button", name="Do not allow").click()
        second.get_by_role("heading", name="Back at the app").wait_for()

    allowed, denied = app_.came_back[-2:]
    assert (allowed["state"], "code" in allowed) == (["first-tab"], True)
    assert (denied["state"], denied["error"]) == (["second-tab"], ["access_denied"])


@pytest.mark.requirement("AZ-02", "AZ-21")
def test_a_post_from_another_site_finds_the_live_session(server: Server, app_: App, visit: Visit) -> None:
    with visit(1280) as page:
        page.goto(f"{server.url}/login")
        sign_in(page, "amy")
        page.goto(app_.redirect_uri.replace("/cb", "/start").replace("127.0.0.1", "localhost"))
        fields = parse_qs(urlsplit(asked(server, app_, "posted")).query)
        page.evaluate(
            """([action, fields]) => {
                const form = document.createElement("form");
                form.method = "post"; form.action = action;
                for (const [name, [value]] of Object.entries(fields)) {
                    const input = document.createElement("input");
                    input.name = name; input.value = value; form.append(input);
                }
                document.body.append(form); form.submit();
            }""",
            [f"{server.url}/o/authorize", fields],
        )
        page.get_by_role("button", name="Allow access").click()
        page.get_by_role("heading", name="Back at the app").wait_for()

    assert app_.came_back[-1]["state"] == ["posted"]


def exchanged(server: Server, app: App, code: str) -> dict[str, Any]:
    """What the token endpoint answers to the code."""
    import httpx

    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri,
        "client_id": "growth-chart", "code_verifier": VERIFIER,
    }  # fmt: skip
    response = httpx.post(f"{server.url}/o/token", data=form)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found
