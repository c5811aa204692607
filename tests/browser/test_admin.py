"""The operators' main tasks in Chromium, wide and narrow, under the strict CSP and with a clean console."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import looks_right, settle, sign_in
from tests.fixture_types import Visit
from tests.running import Server

pytestmark = pytest.mark.browser
WIDTHS = [1280, 390]
TABLES = ["oauth/client", "oauth/fhirserver", "accounts/user", "oauth/patientrecord", "oauth/authorization",
          "oauth/accesstoken", "oauth/refreshtoken", "audit/securityevent", "oauth/signingkey"]  # fmt: skip


def enter(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/admin/")
    sign_in(page, "admin")
    expect(page.get_by_role("heading", name="What runs, who may do what, what happened")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_client_is_registered_its_secret_copied_and_rotated(server: Server, visit: Visit, width: int) -> None:
    with visit(width) as page:
        enter(page, server)
        page.goto(f"{server.url}/admin/oauth/client/add/")
        looks_right(page, f"admin-kinds-{width}")
        page.get_by_role("link", name="App with a secret").click()
        page.get_by_label("Name:").fill(f"Growth Chart {width}")
        page.get_by_label("Redirect URIs:").fill("http://app.example.org/*\nhttps://app.example.org/cb")
        page.get_by_label("Harbour Clinic, R4").check()
        page.get_by_label("Scopes it may ask:").fill("patient/*.rs")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("http://app.example.org/*: a wildcard is not allowed.")).to_be_visible()
        looks_right(page, f"admin-client-error-{width}")

        page.get_by_label("Redirect URIs:").fill("https://app.example.org/cb")
        page.get_by_role("button", name="Save", exact=True).click()
        first = page.locator("output").inner_text()
        looks_right(page, f"admin-secret-{width}")

        page.get_by_role("link", name="Open this client").click()
        looks_right(page, f"admin-client-{width}")
        page.get_by_role("button", name="Rotate the secret").click()
        looks_right(page, f"admin-confirm-{width}")
        page.get_by_role("button", name="Rotate the secret").click()
        second = page.locator("output").inner_text()
        settle(page)
        page.reload()

        assert len(first) == len(second) == 43
        assert first != second
        expect(page.get_by_text("Nothing was rotated")).to_be_visible()
        expect(page.locator("output")).to_have_count(0)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_token_is_looked_at_ended_and_found_in_the_events(server: Server, visit: Visit, width: int) -> None:
    for _ in range(2):
        server.manage("token", "--client", "demo-public", "--user", "amy")
    with visit(width) as page:
        enter(page, server)
        page.get_by_role("link", name="live tokens").click()
        looks_right(page, f"admin-tokens-{width}")
        page.locator("#result_list tbody th a").first.click()
        expect(page).to_have_title(re.compile("^Live: token "))
        expect(page.get_by_text("No newer token has taken its place")).to_be_visible()
        looks_right(page, f"admin-token-life-{width}")
        page.get_by_role("button", name="End this token").click()
        page.get_by_role("button", name="End these tokens").click()
        expect(page.get_by_text("Ended 1 token.")).to_be_visible()

        page.locator("#result_list tbody th a").first.click()
        expect(page.get_by_text("An operator ended it.")).to_be_visible()
        looks_right(page, f"admin-token-ended-{width}")
        server.manage("shell", "-c", "from audit import shipping; shipping.ship()")
        page.get_by_role("link", name="Security events of this token").click()
        expect(page.locator("#result_list")).to_contain_text("Revoked")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_list_and_its_first_row_open_cleanly(server: Server, visit: Visit, width: int, scheme: str) -> None:
    with visit(width, scheme) as page:
        enter(page, server)
        looks_right(page, f"admin-index-{width}-{scheme}")
        for table in TABLES:
            page.goto(f"{server.url}/admin/{table}/")
            looks_right(page, f"admin-{table.split('/')[1]}-{width}-{scheme}")
            first = page.locator("#result_list tbody th a").first
            if first.count():
                first.click()
                looks_right(page, f"admin-{table.split('/')[1]}-row-{width}-{scheme}")


def test_ticking_rows_and_choosing_an_action_asks_first(server: Server, visit: Visit) -> None:
    with visit(1280) as page:
        enter(page, server)
        page.goto(f"{server.url}/admin/accounts/user/?q=ben")
        page.locator("input.action-select").first.check()
        page.get_by_label("Action:").select_option(label="Suspend and end all access")
        page.get_by_role("button", name="Go").click()
        expect(page.get_by_role("heading", name="Suspend and end all access?")).to_be_visible()
        page.get_by_role("button", name="Suspend and end all access").click()

        expect(page.get_by_text("Suspended 1 person.")).to_be_visible()
        expect(page.locator(".sa-tag.sa-bad")).to_have_text("suspended")
