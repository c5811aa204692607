"""The sample app in Chromium under the strict policy: the whole launch, and every refusal on the page."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import looks_right, sign_in
from tests.fixture_types import Visit
from tests.running import Server

pytestmark = pytest.mark.browser

WIDTHS = [1280, 390]


def launch(page: Page, server: Server, *scopes: str, client: str = "demo-public") -> None:
    """The first page with these ticks, sent."""
    page.goto(f"{server.url}/demo")
    page.get_by_label("The app is the client").select_option(client)
    for tick in page.locator("[name=scope]").all():
        tick.set_checked(tick.get_attribute("value") in scopes)
    page.get_by_role("button", name="Launch the app").click()


MEDIA_TYPES = {"stu3": "application/fhir+json", "dstu2": "application/json+fhir"}
PRESCRIPTIONS = {"stu3": "MedicationRequest", "dstu2": "MedicationOrder"}


def panel(page: Page, title: str) -> Locator:
    return page.locator(".panel", has=page.get_by_role("heading", name=re.compile(title)))


def breaks(page: Page, button: str) -> Locator:
    """The answer to one of the four bad tokens."""
    page.get_by_role("button", name=button).click()
    return page.locator("#answer")


@pytest.mark.parametrize("width", WIDTHS)
def test_amy_launches_and_sees_what_is_let_in_and_what_is_refused(server: Server, visit: Visit, width: int) -> None:
    base = f"{server.url}/fhir/r4"
    with visit(width, refusals=True) as page:
        page.goto(f"{server.url}/demo")
        looks_right(page, f"demo-start-{width}")
        page.get_by_role("button", name="Launch the app").click()
        sign_in(page, "amy")
        page.get_by_role("button", name="Allow access").click()

        expect(page.get_by_role("heading", name="Amy Shaw")).to_be_visible()
        expect(page.locator("#steps [aria-current=step]")).to_have_text("Use the token")
        expect(page.locator("#person")).to_contain_text("Amy Shaw")
        expect(page.locator("#person")).to_contain_text("Patient/amy")
        expect(page.get_by_text("HC-18830")).to_be_visible()
        expect(page.get_by_role("row", name=re.compile("Blood pressure"))).to_contain_text("118/74 mmHg")
        expect(page.locator("#left-out")).to_be_hidden()
        assert "code=" not in page.url

        own, other = panel(page, "The chosen record"), panel(page, "The record of ben")
        expect(own).to_contain_text("200")
        expect(own).to_contain_text("GET /fhir/r4/Patient/amy")
        expect(own).to_contain_text("The scope patient/Patient.rs covers it.")
        expect(other).to_contain_text("404")
        expect(other).to_contain_text('"code": "not-found"')
        expect(other).to_contain_text("Word for word the answer for an id that never existed")
        expect(panel(page, "Vital signs")).to_contain_text("3 entries, total 3.")
        refused = panel(page, "Prescribed medicines")
        expect(refused).to_contain_text("403")
        expect(refused).to_contain_text('error="insufficient_scope"')
        expect(refused).to_contain_text("No scope for MedicationRequest was granted.")

        page.get_by_text("The token, decoded").click()
        expect(page.locator("#decoded pre")).to_contain_text(f'"aud": "{base}",  the one FHIR server it is good for')

        answer = breaks(page, "Use it at another FHIR server")
        expect(answer).to_contain_text("401: another FHIR server")
        expect(answer).to_contain_text(f'realm="{server.url}/fhir/elsewhere", error="invalid_token"')
        answer = breaks(page, "Send no token")
        expect(answer).to_contain_text("401: no token")
        expect(answer).to_contain_text(f'WWW-Authenticate: Bearer realm="{base}"')
        expect(answer).not_to_contain_text("error=")
        answer = breaks(page, "Change one letter of the token")
        expect(answer).to_contain_text("401: one letter was changed")
        expect(answer).to_contain_text('"resourceType": "OperationOutcome"')
        expect(answer).to_contain_text("It ended the real one too")
        looks_right(page, f"demo-result-{width}")


@pytest.mark.parametrize("width", WIDTHS)
def test_carol_leaves_something_out_and_a_newer_token_ends_the_older(server: Server, visit: Visit, width: int) -> None:
    scopes = ("launch/patient", "patient/Patient.rs", "patient/Observation.rs", "patient/Condition.rs")
    with visit(width, refusals=True) as page:
        launch(page, server, *scopes, client="demo-symmetric")
        sign_in(page, "carol")
        page.get_by_role("radio", name="Dan").check()
        page.get_by_role("button", name="Continue with this patient").click()
        page.get_by_role("group", name="Health problems and diagnoses").get_by_role("radio", name="None").check()
        page.get_by_role("button", name="Allow access").click()

        expect(page.get_by_role("heading", name="Dan Reyes")).to_be_visible()
        expect(page.locator("#left-out")).to_have_text("You left out: Health problems and diagnoses.")
        expect(page.locator("#vital-signs")).to_contain_text("38.4 °C")
        first = page.locator("#decoded pre").text_content()

        page.get_by_role("button", name="Use it after a newer one was issued").click()
        again(page)
        expect(page.locator("#answer")).to_contain_text("401: a newer one was issued")
        expect(page.locator("#answer")).to_contain_text("that ended this one in the same moment")
        expect(panel(page, "The chosen record")).to_contain_text("200")
        assert page.locator("#decoded pre").text_content() != first
        looks_right(page, f"demo-superseded-{width}")


def again(page: Page) -> None:
    """The same launch once more: the pages that are shown are answered, until the app has its token."""
    page.wait_for_url(re.compile("/(patient|consent)$"))
    while "/demo/callback" not in page.url:
        if page.get_by_role("radio", name="Dan").count():
            page.get_by_role("radio", name="Dan").check()
        with page.expect_navigation(url=re.compile("/consent|/demo/callback")):
            page.get_by_role("button", name=re.compile("Continue with this patient|Allow access")).click()
    page.locator("#result").wait_for()


@pytest.mark.requirement("E31")
def test_a_refusal_is_told_kindly(server: Server, visit: Visit) -> None:
    with visit() as page:
        launch(page, server, "launch/patient", "patient/Patient.rs")
        sign_in(page, "ben")
        page.get_by_role("button", name="Do not allow").click()

        expect(page.locator("#refused")).to_contain_text(
            "Access was not allowed (access_denied). That is a normal answer; an app should say so kindly."
        )
        looks_right(page, "demo-refused")
        page.get_by_role("link", name="Start again").click()
        expect(page.get_by_role("button", name="Launch the app")).to_be_visible()


def test_a_token_for_everything_is_still_refused_where_its_letters_end(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        launch(page, server, "launch/patient", "patient/*.rs")
        sign_in(page, "amy")
        page.get_by_role("button", name="Allow access").click()

        refused = panel(page, "Adding a test result")
        expect(refused).to_contain_text("403")
        expect(refused).to_contain_text("adding needs c (create)")


def test_the_ehr_starts_the_app_and_nobody_is_asked_for_the_patient(server: Server, visit: Visit) -> None:
    with visit(refusals=True) as page:
        page.goto(f"{server.url}/login")
        sign_in(page, "dr-green")
        page.goto(f"{server.url}/launcher")
        for label, choice in (("App", "demo-public"), ("Who is using it", "dr-green"), ("Patient", "dan")):
            choose(page, label, choice)
        page.get_by_role("button", name="Prepare the launch").click()
        page.goto(page.get_by_label("Or copy this address").input_value())
        page.get_by_role("button", name="Allow access").click()

        expect(page.get_by_role("heading", name="Dan Reyes")).to_be_visible()
        expect(panel(page, "The chosen record")).to_contain_text("200")


@pytest.mark.parametrize("version", MEDIA_TYPES)
def test_a_whole_launch_in_each_other_version_from_the_app_and_from_the_ehr(
    server: Server, visit: Visit, version: str
) -> None:
    base = f"{server.url}/fhir/{version}"
    with visit(refusals=True) as page:
        answers: dict[str, str] = {}
        page.on("response", lambda got: answers.update({got.url: f"{got.status} {got.headers.get('content-type')}"}))
        page.goto(f"{server.url}/demo")
        page.get_by_role("link", name=version.upper()).click()
        page.get_by_role("button", name="Launch the app").click()
        sign_in(page, "dr-green")
        page.get_by_label("Find a patient").fill("Dan Reyes")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("radio", name="Dan Reyes Boy").check()
        page.get_by_role("button", name="Continue with this patient").click()
        page.get_by_role("button", name="Allow access").click()

        expect(page.get_by_role("heading", name="Dan Reyes")).to_be_visible()
        expect(page.locator("#person")).to_contain_text("Ruth Green")
        expect(page.locator("#vital-signs")).to_contain_text("38.4 °C")
        expect(panel(page, "The record of ben")).to_contain_text("Word for word the answer")
        refused = panel(page, "Prescribed medicines")
        expect(refused).to_contain_text(f"No scope for {PRESCRIPTIONS[version]} was granted.")
        expect(page.locator("#decoded pre")).to_contain_text(f'"aud": "{base}"')
        assert answers[f"{base}/Patient/dan"].startswith(f"200 {MEDIA_TYPES[version]}")
        page.get_by_role("link", name="Start again with other scopes").click()
        expect(page.locator(".chip[aria-current]")).to_have_text(version.upper())

        page.goto(f"{server.url}/launcher")
        for label, choice in (("App", "demo-versions"), ("FHIR server", version), ("Patient", "dan")):
            choose(page, label, choice)
        page.get_by_role("button", name="Prepare the launch").click()
        page.goto(page.get_by_label("Or copy this address").input_value())
        page.wait_for_url(re.compile("/consent$|/demo/callback"))
        expect(page.get_by_role("heading", name=re.compile("Dan Reyes"))).to_be_visible()
        if page.get_by_role("button", name="Allow access").count():
            page.get_by_role("button", name="Allow access").click()
        expect(page.locator("#decoded pre")).to_contain_text(f'"aud": "{base}"')
        expect(panel(page, "The chosen record")).to_contain_text(f"GET /fhir/{version}/Patient/dan")


def choose(page: Page, label: str, value: str) -> None:
    """The option that names it, by its value or its text, after the lists were brought up to date."""
    field = page.get_by_label(label, exact=True)
    options = {each.get_attribute("value"): each.inner_text() for each in field.locator("option").all()}
    names = {
        "demo-public": "(public)", "demo-versions": "(demo-versions)", "stu3": ", STU3", "dstu2": ", DSTU2",
        "dr-green": "Green", "dan": "Dan Reyes",
    }  # fmt: skip
    chosen = next(key for key, text in options.items() if key == value or names[value] in text)
    field.select_option(chosen)
    page.get_by_role("button", name="Update the lists").click()
    page.wait_for_load_state()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/demo/launch", "was launched for another one or for none"),
        ("/demo/launch?iss=https://evil.example/fhir&launch=x", "was launched for another one or for none"),
        ("/demo/launch?iss={base}", "there is none"),
        ("/demo/launch?iss={base}&launch=x&client=demo-asymmetric", "cannot be the client demo-asymmetric"),
        ("/demo/launch?iss={issuer}/fhir/dstu2&launch=x&client=demo-public", "may not ask for this FHIR server"),
        ("/demo/callback?code=x&state=y&iss=https://evil.example", "came from another server"),
        ("/demo/callback?code=x&state=y&iss={issuer}", "No state found"),
        (
            "/demo/callback?error=<img src=x onerror=alert(1)>&error_description=<b>x</b>",
            "<img src=x onerror=alert(1)>",
        ),
        ("/demo/callback", "No 'state' parameter found"),
    ],
    ids=[
        "no iss", "foreign iss", "no launch", "no proof", "other version", "mix-up", "foreign state", "markup",
        "nothing",
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_launch_is_said_and_nothing_is_sent(
    server: Server, visit: Visit, path: str, words: str
) -> None:
    with visit() as page:
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url))

        page.goto(server.url + path.format(base=f"{server.url}/fhir/r4", issuer=server.url))

        expect(page.locator("#trouble")).to_contain_text(words)
        assert page.title().startswith("Error: ")
        assert [url for url in sent if "/o/" in url or not url.startswith(server.url)] == []
        assert page.locator("#trouble img, #trouble b").count() == 0
