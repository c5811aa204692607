"""fhirclient JS in Chromium: a page of another origin, which gets its token and everything after it by CORS."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.clients.conftest import HERE, PUBLIC, Clinic
from tests.fixture_types import Visit
from tests.flows.app import introspect
from tests.npm import install

pytestmark = pytest.mark.clients
STATUS_OF = "promise => promise.then(() => 200, refused => refused.status)"


class Files(SimpleHTTPRequestHandler):
    """A web server that knows nothing of OAuth."""

    def log_message(self, *_: object) -> None:
        """Keeps the test's output quiet."""


@pytest.fixture(scope="module")
def page_address(clinic: Clinic) -> Iterator[str]:
    """Where the app's first page is."""
    serve = functools.partial(Files, directory=str(install(HERE / "fhirclient-js")))
    with ThreadingHTTPServer(("127.0.0.1", urlsplit(clinic.app).port or 0), serve) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"{clinic.app}/launch.html"
        found.shutdown()


def allowed(page: Page, username: str, name: str) -> dict[str, Any]:
    """Signs in and allows; what the page holds once it shows whose record it is."""
    sign_in(page, username)
    page.get_by_role("button", name="Allow access").click()
    expect(page.get_by_role("heading")).to_have_text(name)
    token: dict[str, Any] = page.evaluate("client.state.tokenResponse")
    return token


def revoke(page: Page, clinic: Clinic, token: str) -> int:
    """The app ends its access: fhirclient has no function for it, fetch is enough."""
    script = "([url, form]) => fetch(url, {method: 'POST', body: new URLSearchParams(form)}).then(said => said.status)"
    status: int = page.evaluate(script, [f"{clinic.issuer}/o/revoke", {"token": token, "client_id": PUBLIC}])
    return status


def refusals(page: Page, patient: str) -> tuple[int, int]:
    """What a refresh and a read are refused with; 200 if they are not."""
    refresh = page.evaluate(f"({STATUS_OF})(client.refresh())")
    return refresh, page.evaluate(f"({STATUS_OF})(client.request('Patient/{patient}', {{useRefreshToken: false}}))")


@pytest.mark.requirement("SD-14", "WF-01", "WF-08")
@pytest.mark.requirement("WF-12", "WF-13", "WF-17")
@pytest.mark.requirement("CO-02", "CO-04", "CO-08")
def test_a_page_lives_from_a_standalone_launch_to_its_end(clinic: Clinic, visit: Visit, page_address: str) -> None:
    with visit(refusals=True) as page:
        page.goto(f"{page_address}?iss={clinic.base}")
        first = allowed(page, "amy", "Amy Shaw")

        profile = page.evaluate("client.getIdToken()")
        assert (profile["iss"], profile["aud"]) == (clinic.issuer, PUBLIC)
        assert profile["fhirUser"] == f"{clinic.base}/Patient/amy"
        second = page.evaluate("client.refresh().then(state => state.tokenResponse)")
        assert page.evaluate("client.patient.read()")["id"] == "amy"
        assert clinic.is_dead(first["access_token"])
        assert introspect(clinic.server, second["access_token"])["client_id"] == PUBLIC

        assert revoke(page, clinic, second["refresh_token"]) == 200
        assert clinic.is_dead(second["access_token"])
        assert refusals(page, "amy") == (400, 401)


@pytest.mark.requirement("SD-14", "EL-01", "WF-12")
def test_a_page_lives_from_an_ehr_launch_to_its_end(clinic: Clinic, visit: Visit, page_address: str) -> None:
    opened = clinic.opened_by_the_ehr(PUBLIC)

    with visit(refusals=True) as page:
        assert opened.startswith(page_address)
        page.goto(opened)
        told = allowed(page, "dr-green", "Dan Reyes")

        assert (told["patient"], told["intent"]) == ("dan", "growth")
        assert page.evaluate("client.user.fhirUser") == "Practitioner/dr-green"
        assert page.evaluate("client.user.read()")["id"] == "dr-green"
        token = page.evaluate("client.refresh().then(state => state.tokenResponse)")
        assert revoke(page, clinic, token["refresh_token"]) == 200
        assert clinic.is_dead(token["access_token"])
        assert refusals(page, "dan") == (400, 401)
