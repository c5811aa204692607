"""axe-core finds nothing on the pages of operators and of those who develop against the server."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.accessible import allowed, clean
from tests.browser.conftest import sign_in
from tests.fixture_types import Visit
from tests.running import Server

pytestmark = pytest.mark.browser


def test_the_launcher(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        page.goto(f"{server.url}/login?to=admin")
        sign_in(page, "admin")
        page.goto(f"{server.url}/launcher")
        clean(page, "launcher")
        page.get_by_role("button", name="Prepare the launch").click()
        page.wait_for_load_state()
        clean(page, "launcher-answer")
        page.goto(page.get_by_label("Or copy this address").input_value())
        page.wait_for_url(re.compile("/another-user$"))
        clean(page, "another-user")


@pytest.mark.parametrize(
    "path",
    [
        "", "oauth/client/", "oauth/client/add/", "oauth/fhirserver/", "accounts/user/", "oauth/patientrecord/",
        "oauth/authorization/", "oauth/accesstoken/", "audit/securityevent/", "oauth/signingkey/",
    ],
)  # fmt: skip
def test_the_admin(server: Server, visit: Visit, path: str) -> None:
    with visit(refusals=True) as page:
        page.goto(f"{server.url}/login?to=admin")
        sign_in(page, "admin")
        page.goto(f"{server.url}/admin/{path}")

        clean(page, "admin-" + (path.strip("/").replace("/", "-") or "index"))


@pytest.mark.parametrize("table", ["oauth/client", "accounts/user", "oauth/fhirserver"])
def test_a_form_of_the_admin(server: Server, visit: Visit, table: str) -> None:
    with visit(refusals=True) as page:
        page.goto(f"{server.url}/login?to=admin")
        sign_in(page, "admin")
        page.goto(f"{server.url}/admin/{table}/")
        page.locator("#result_list tbody th a").first.click()

        clean(page, "admin-form-" + table.replace("/", "-"))


def test_a_tokens_life_and_the_questions_of_the_admin(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        allowed(page, server, "carol")
    with visit(refusals=True) as page:
        page.goto(f"{server.url}/login?to=admin")
        sign_in(page, "admin")
        page.goto(f"{server.url}/admin/oauth/accesstoken/")
        page.locator("#result_list tbody th a").first.click()
        clean(page, "admin-token-life")
        for table in ("oauth/authorization", "oauth/client", "accounts/user"):
            page.goto(f"{server.url}/admin/{table}/")
            page.locator("#result_list .action-select").first.check()
            page.locator("select[name=action]").select_option(index=1)
            page.get_by_role("button", name="Go").click()
            clean(page, "admin-question-" + table.replace("/", "-"))


def test_a_bad_token(server: Server, visit: Visit) -> None:
    with visit() as page:
        page.goto(f"{server.url}/dev/tokens")
        clean(page, "dev-tokens")
        page.locator("button[value=expired]").click()
        expect(page.get_by_text("It is shown once")).to_be_visible()
        page.get_by_role("button", name="Copy the token").click()
        expect(page.get_by_role("button", name="Copied the token")).to_be_visible()
        clean(page, "dev-token")
        page.get_by_role("button", name="Send one to this FHIR server").click()

        expect(page.get_by_role("heading", name="Your server refused it", exact=True)).to_be_visible()
        clean(page, "dev-token-sent")


def test_the_probe_of_the_bundled_server(server: Server, visit: Visit) -> None:
    with visit() as page:
        page.goto(server.url)
        page.get_by_role("button", name="Probe R4").click()
        page.get_by_role("button", name="Stop and show the report").click()

        expect(page.get_by_role("heading", level=1)).to_contain_text("Stopped after ")
        clean(page, "dev-probe-report")


def test_bad_tokens_are_sent_one_after_the_other(server: Server, visit: Visit) -> None:
    with visit() as page:
        page.goto(f"{server.url}/dev/tokens?q=xt-927")
        page.get_by_role("button", name="Send these 3 to my server").click()

        expect(page.locator("#sending p")).to_have_text("All kinds: 3 of 3 tried, 3 answered right, 0 wrong.")
        expect(page.locator("#g-issuer .result")).to_have_text(["401", "401", "401"])
        expect(page.locator("#g-issuer summary")).to_contain_text("3 right")
        clean(page, "dev-tokens-results")


def test_the_console_shows_rows_as_they_come_and_pause_counts_them(server: Server, visit: Visit) -> None:
    def read(patient: str) -> None:
        httpx.get(f"{server.url}/fhir/r4/Patient/{patient}", timeout=30)

    read("first")
    with visit() as page:
        page.goto(f"{server.url}/dev/console")
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        clean(page, "console")
        links = page.locator("#rows a")
        for each in ("second", "third"):
            read(each)
            expect(links.first).to_have_text(f"GET /Patient/{each}")
        expect(links.nth(1)).to_have_text("GET /Patient/second")

        page.get_by_role("button", name="Pause").click()
        read("fourth")
        expect(page.get_by_role("status").first).to_have_text("1 newer request is waiting.")
        expect(links.first).to_have_text("GET /Patient/third")
        page.get_by_role("button", name="Pause").click()
        expect(links.first).to_have_text("GET /Patient/fourth")

        links.first.click()
        expect(page.get_by_role("heading", name="Refused")).to_be_visible()
        clean(page, "console-request")
