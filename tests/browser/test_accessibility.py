"""axe-core finds nothing on any page, light and dark, wide and narrow; and a whole launch needs no mouse."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessible import allowed, clean
from tests.browser.conftest import sign_in
from tests.conftest import CHALLENGE
from tests.fixture_types import Visit
from tests.flows.app import read, token
from tests.running import Server
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

TABS = 60
REQUIRE = """
from accounts.models import User
User.objects.create_user("eva", "smartauth-demo")
User.objects.get_queryset().filter(username="eva").suspend("test")
User.objects.create_user("finn", "smartauth-demo", must_change_password=1)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The demo, where two wrong passwords pause an account."""
    made = Server(SMARTAUTH_FAILURE_LIMIT="2")
    try:
        made.prepare()
        yield made.start()
    finally:
        made.remove()


def asked(server: Server, **changes: str) -> str:
    """What an app sends the browser to: the demo client of the sample app."""
    return f"{server.url}/o/authorize?" + urlencode(
        {
            "response_type": "code",
            "client_id": "demo-public",
            "redirect_uri": f"{server.url}/demo/callback",
            "scope": "launch/patient patient/Patient.rs patient/Observation.rs",
            "state": "state-of-the-app",
            "aud": f"{server.url}/fhir/r4",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
    )


def consent_of(page: Page, server: Server, name: str, **changes: str) -> None:
    page.goto(asked(server, **changes))
    sign_in(page, name)


@pytest.mark.parametrize("path", ["/", "/login", "/demo", "/demo/launch", "/no-such-page"])
def test_pages_for_everybody(server: Server, visit: Visit, path: str) -> None:
    with visit(refusals=True) as page:
        page.goto(server.url + path)

        clean(page, path.strip("/").replace("/", "-") or "home")


def test_signing_in_and_its_errors(server: Server, visit: Visit) -> None:
    with visit() as page:
        page.goto(asked(server))
        clean(page, "login-for-an-app")
    with visit(refusals=True) as page:
        page.goto(f"{server.url}/login")
        sign_in(page, "nobody-here", "wrong")
        clean(page, "login-wrong")
        sign_in(page, "nobody-here", "wrong")
        expect(page.get_by_text("Too many tries.")).to_be_visible()
        clean(page, "login-locked")


BLOCKED = """
from accounts import clock
from accounts.models import User
from oauth.models import AddressBlock, Client
AddressBlock.objects.create(user=User.objects.get(username="ben"), client=Client.of("demo-symmetric"),
                            address="198.51.100.9", blocked_at=clock.now())
"""


@pytest.mark.requirement("SD-06")
def test_a_password_for_a_new_address(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        page.goto(f"{server.url}/login")
        sign_in(page, "ben")
        expect(page).to_have_url(f"{server.url}/")
        server.manage("shell", "--no-imports", "-c", BLOCKED)
        page.goto(asked(server, client_id="demo-symmetric"))
        expect(page.get_by_role("heading", name="Please enter your password again")).to_be_visible()
        clean(page, "login-new-address")
        page.get_by_text("This was not me").click()
        page.get_by_label("Password").fill("smartauth-demo")
        page.get_by_role("button", name="Confirm it is me").click()

        expect(page.get_by_role("button", name="Allow access")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("unknown-client", {"client_id": "nobody"}),
        ("other-redirect-uri", {"redirect_uri": "https://evil.example/cb"}),
    ],
)
def test_requests_that_stop_here(server: Server, visit: Visit, name: str, changes: dict[str, str]) -> None:
    with visit(refusals=True) as page:
        page.goto(asked(server, **changes))

        expect(page.get_by_role("heading", name="We stopped this request")).to_be_visible()
        clean(page, name)
        page.get_by_role("link", name=re.compile("^Explain [0-9A-Z]{4}-")).click()
        expect(page.locator("#verdict")).to_be_focused()
        clean(page, f"explain-{name}")


def test_a_stopped_request_fits_a_phone_where_all_letters_are_wide(server: Server, visit: Visit) -> None:
    """A machine may have no other font than one for code; people may ask for more space between letters."""
    with visit(refusals=True) as page:
        page.set_viewport_size({"width": 390, "height": 900})
        page.goto(asked(server, client_id="nobody"))

        page.evaluate("document.documentElement.style.setProperty('--sans', 'var(--mono)')")

        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_choosing_and_deciding(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        consent_of(page, server, "carol")
        clean(page, "picker-one")
        page.get_by_role("radio", name="Dan").check()
        page.get_by_role("button", name="Continue with this patient").click()
        clean(page, "consent")
        untick(page)
        page.get_by_role("button", name="Allow access").click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing is ticked.")
        clean(page, "consent-nothing")
        back = page.url
        page.get_by_role("button", name="Do not allow").click()
        expect(page.locator("#refused")).to_be_visible()
        clean(page, "demo-refused")
        page.goto(back)
        clean(page, "answered-already")


def untick(page: Page) -> None:
    """Nothing of what is asked is allowed any more."""
    for choice in page.get_by_role("radio", name="None", exact=True).all():
        choice.check()
    for tick in page.locator("input[name=ask]:checked").all():
        tick.uncheck()


def test_signing_out_for_an_app(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        page.goto(f"{server.url}/login")
        sign_in(page, "carol")
        page.goto(f"{server.url}/o/logout?post_logout_redirect_uri=https://elsewhere.example/")
        expect(page.get_by_role("alert")).to_contain_text("we do not lead you back")
        clean(page, "logout-asks")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
        clean(page, "logout-done")


def test_a_page_for_others_and_the_account_menu(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        page.goto(f"{server.url}/login?to=admin")
        sign_in(page, "carol")
        expect(page.get_by_role("heading", name="This page is for operators")).to_be_visible()
        clean(page, "not-for-you")
        page.get_by_role("button", name="Signed in as Carol").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        clean(page, "account-menu")
        page.set_viewport_size({"width": 390, "height": 900})
        page.get_by_role("button", name="Menu").click()
        clean(page, "menu")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Sign in as someone else").click()

        expect(page).to_have_url(f"{server.url}/login?to=admin")


def test_choosing_among_many(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        consent_of(page, server, "dr-green")
        clean(page, "picker-many")
        page.get_by_role("searchbox").fill("xyz")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_text("No patient fits")).to_be_visible()
        clean(page, "picker-nobody")
    with visit() as page:
        consent_of(page, server, "admin")
        expect(page.get_by_role("heading", name="There is no health record that you may share.")).to_be_visible()
        clean(page, "picker-none")


def test_the_sample_app_with_its_token(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        allowed(page, server, "carol")
        page.get_by_text("The token, decoded").click()
        page.get_by_role("button", name="Change one letter of the token").click()
        expect(page.locator("#answer")).to_contain_text("401")

        clean(page, "demo-result")


def test_password_and_sessions(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        page.goto(f"{server.url}/login?to=sessions")
        sign_in(page, "carol")
        clean(page, "sessions")
        page.goto(f"{server.url}/apps")
        clean(page, "connected-apps")
        page.go_back()
        page.get_by_role("link", name="Change your password").click()
        clean(page, "password")
        page.get_by_label("Current password").fill("smartauth-demo")
        page.get_by_label("New password", exact=True).fill("short")
        page.get_by_label("New password again").fill("short")
        page.get_by_role("button", name="Use the new password").click()
        expect(page.get_by_role("alert")).to_contain_text("too short")
        clean(page, "password-unfit")


def test_the_checklist_and_the_docs(server: Server, visit: Visit) -> None:
    with visit() as page:
        page.goto(f"{server.url}/")
        page.get_by_role("button", name="Sign in as Ben Whitlock").click()
        expect(page.get_by_role("row", name="Ben Whitlock").get_by_text("You")).to_be_visible()
        page.locator("#checklist").get_by_role("link", name="Harbour Clinic, R4").click()
        assert read(server, "Patient/ben", token(server)).status_code == 404
        done = page.locator("#checklist li.is-done").filter(has_text="It hides other records")
        assert wait_until(lambda: page.reload() is not None and done.is_visible())  # the bundled server reports it
        clean(page, "home-checklist")
        page.get_by_role("link", name="All documentation").click()
        clean(page, "docs")


def test_a_visit_to_choose(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        consent_of(
            page, server, "carol", scope="launch/patient launch/encounter patient/Patient.rs patient/Encounter.rs"
        )
        page.get_by_role("radio", name="Dan").check()
        page.get_by_role("button", name="Continue with this patient").click()
        page.wait_for_url(re.compile("/encounter$"))

        clean(page, "encounter-picker")


def test_connected_apps_from_live_to_ended(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        allowed(page, server, "carol")
        page.goto(f"{server.url}/apps")
        page.get_by_text("Take back access").first.click()
        clean(page, "apps-question")
        page.get_by_role("button", name="Yes, take back access").click()
        expect(page.get_by_role("status")).to_be_visible()
        clean(page, "apps-taken-back")
        page.get_by_role("button", name="End all access and sign out").click()
        clean(page, "apps-end-all")


PAGES = [
    "/", "/login", "/demo", "/password", "/sessions", "/apps", "/apps/end-all", "/launcher", "/admin/",
    "/admin/oauth/client/", "/admin/oauth/client/add/", "/admin/oauth/accesstoken/", "/admin/audit/securityevent/",
    "/admin/accounts/user/", "/dev/tokens", "/dev/console", "/explain",
]  # fmt: skip
LISTEN = """() => {
    window.reached = new Set();
    document.addEventListener("focusin", (event) => window.reached.add(event.target));
}"""
UNREACHED = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter((each) => each.type !== "hidden" && each.type !== "radio" && !each.disabled && each.tabIndex >= 0)
    .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !window.reached.has(each))
    .map((each) => each.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("path", PAGES)
def test_every_control_is_reached_by_tab_alone(server: Server, visit: Visit, path: str) -> None:
    with visit(refusals=True) as page:
        page.goto(f"{server.url}/login?to=admin")
        sign_in(page, "admin")
        page.goto(server.url + path)
        page.evaluate(LISTEN)
        controls = page.locator("a[href], button, input, select, textarea, summary").count()

        for _ in range(controls + 2):
            page.keyboard.press("Tab")

        assert controls > 1
        assert page.evaluate(UNREACHED) == []


def test_stopped_people_and_new_passwords(server: Server, visit: Visit) -> None:
    server.manage("shell", "-c", REQUIRE)
    with visit(refusals=True) as page:
        page.goto(f"{server.url}/login")
        sign_in(page, "eva")
        expect(page.get_by_text("This account is suspended.")).to_be_visible()
        clean(page, "login-stopped")
    with visit() as page:
        consent_of(page, server, "finn")
        expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
        clean(page, "password-required")


def test_a_whole_launch_by_tab_space_and_enter(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        page.goto(f"{server.url}/demo")
        press(page, page.get_by_role("button", name="Launch the app"), "Enter")
        page.wait_for_url(re.compile("/login$"))
        press(page, page.get_by_label("User name"))
        page.keyboard.type("carol")
        press(page, page.get_by_label("Password"))
        page.keyboard.type("smartauth-demo")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/patient$"))
        press(page, page.get_by_role("radio", name="Dan"), "Space")
        press(page, page.get_by_role("button", name="Continue with this patient"), "Enter")
        page.wait_for_url(re.compile("/consent$"))
        press(page, page.get_by_role("checkbox", name="Name, birth date and contact details"), "Space")
        press(page, page.get_by_role("button", name="Allow access"), "Enter")
        page.locator("#result").wait_for()

        expect(page.locator("#left-out")).to_contain_text("You left out: Name, birth date and contact details.")
        press(page, page.get_by_text("The token, decoded"), "Enter")
        expect(page.locator("#decoded pre")).to_be_visible()
        press(page, page.get_by_role("button", name="Send no token"), "Space")
        expect(page.locator("#answer")).to_contain_text("401: no token")


def press(page: Page, target: Locator, key: str = "") -> None:
    """Tabs until the focus is there and can be seen, then presses the key."""
    target.wait_for()
    for _ in range(TABS):
        if target.evaluate("each => each === document.activeElement"):
            break
        page.keyboard.press("Tab")
    outlined = "each => ['', 'none'].every((no) => getComputedStyle(each).outlineStyle !== no)"
    assert target.evaluate(f"each => each === document.activeElement && ({outlined})(each)"), f"no way to {target}"
    if key:
        page.keyboard.press(key)
