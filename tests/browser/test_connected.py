"""Connected apps in Chromium: looked at, taken back, and everything at once; by keyboard, without a script."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import looks_right, sign_in
from tests.fixture_types import Visit
from tests.running import Server

pytestmark = pytest.mark.browser

SEEDED = """
from accounts import clock
from accounts.models import User
from smart.digests import random_token
from oauth.models import AccessToken, Authorization, Client
from tests.seeded import r4_server
carol, server, now = User.objects.get(username="carol"), r4_server(), clock.now()
types = "Patient AllergyIntolerance Condition Observation MedicationRequest Immunization Procedure".split()
for client, patient, flagged, age in (
    ("demo-public", "dan", now, 0), ("demo-symmetric", "dan", 0, 0), ("demo-public", "dan", 0, 3 * 86_400_000_000)
):
    scope = "launch/patient patient/Observation.c " + " ".join(f"patient/{name}.rs" for name in types)
    authorization = Authorization.objects.create(
        client=Client.of(client), user=carol, fhir_server=server, patient=patient, scope=scope,
        client_epoch=Client.of(client).epoch, user_epoch=carol.epoch, flagged_at=flagged, granted_at=now - age,
    )
    AccessToken.objects.create(
        digest=random_token(), authorization=authorization, authorization_epoch=0, scope=scope, claims="{}",
        issued_at=now - age, expires_at=now - age + 300_000_000, address="198.51.100.7",
    )
"""


def opened(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/login?to=apps")
    sign_in(page, "carol")
    expect(page.get_by_role("heading", name="Connected apps")).to_be_visible()


@pytest.mark.requirement("RV-05")
def test_access_is_looked_at_and_taken_back(server: Server, visit: Visit) -> None:
    server.manage("shell", "-c", SEEDED)
    with visit() as page:
        opened(page, server)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            looks_right(page, f"connected-{width}")
        page.set_viewport_size({"width": 1280, "height": 900})
        cards = page.locator(".slip")
        expect(cards).to_have_count(2)

        cards.first.locator("summary", has_text="Take back access").click()
        cards.first.get_by_role("button", name=re.compile("^Yes, take back access")).click()

        expect(page.get_by_role("status")).to_contain_text("no longer has access to the record of Dan")
        expect(page.get_by_role("status")).to_be_focused()
        expect(cards).to_have_count(1)
        expect(page.get_by_role("row", name=re.compile("you took it back"))).to_be_visible()
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            looks_right(page, f"connected-taken-back-{width}")


@pytest.mark.requirement("RV-05")
def test_everything_at_once_asks_once_more(server: Server, visit: Visit) -> None:
    with visit() as page:
        opened(page, server)
        page.get_by_role("button", name="End all access and sign out").click()
        expect(page.get_by_role("heading", name="End all access and sign out?")).to_be_visible()
        looks_right(page, "connected-end-all")
        page.get_by_role("button", name="End all access and sign out").click()

        expect(page.get_by_role("heading", name="All access has ended")).to_be_visible()
        looks_right(page, "connected-ended")
        page.goto(f"{server.url}/apps")
        expect(page).to_have_url(re.compile("/login"))
