"""`make shots`: a picture of every page at both widths and in both schemes, into docs/screenshots."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import FLAGS, sign_in
from tests.codes import CHALLENGE, VERIFIER
from tests.running import ROOT

URL = "http://127.0.0.1:8000"
FOLDER = ROOT / "docs" / "screenshots"
APP = "http://127.0.0.1:4999/cb"
SCOPE = "launch/patient patient/Patient.rs patient/Observation.crs patient/Condition.rs patient/Immunization.rs"
LISTS = (
    "oauth/client", "oauth/fhirserver", "oauth/authorization", "oauth/accesstoken", "oauth/signingkey",
    "audit/securityevent",
)  # fmt: skip
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


class Album:
    """One browser profile of one width and scheme, and where its pictures go."""

    def __init__(self, page: Page, url: str, suffix: str) -> None:
        self.page, self.url, self.suffix = page, url, suffix

    def open(self, path: str, name: str) -> None:
        self.page.goto(f"{self.url}{path}", wait_until="load")
        self.keep(name)

    def keep(self, name: str) -> None:
        path = FOLDER / f"{name}-{self.suffix}.jpg"
        self.page.screenshot(path=path, full_page=True, type="jpeg", quality=70)

    def ask(self, **changes: str) -> None:
        asked = {
            "response_type": "code",
            "client_id": "demo-public",
            "redirect_uri": f"{self.url}/demo/callback",
            "scope": SCOPE,
            "state": "a-state-that-nobody-guesses",
            "aud": f"{self.url}/fhir/r4",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        self.page.goto(f"{self.url}/o/authorize?{urlencode(asked)}")


def launch(album: Album) -> None:
    """A standalone launch as carol, who acts for dan, with its unhappy pages."""
    page = album.page
    album.ask(redirect_uri=f"{album.url}/demo/Callback/")
    album.keep("error")
    album.ask()
    album.keep("login")
    sign_in(page, "carol", "not-the-password")
    album.keep("login-wrong")
    sign_in(page, "carol")
    album.keep("picker")
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Continue with this patient").click()
    album.keep("consent")


def sample_app(album: Album) -> None:
    """The sample app from its launch to its refusals, as amy."""
    page = album.page
    album.open("/demo", "demo")
    page.get_by_role("button", name="Launch").first.click()
    sign_in(page, "amy")
    page.get_by_role("button", name="Allow access").click()
    page.get_by_text("Let in, and refused").first.wait_for()
    page.wait_for_timeout(1500)
    album.keep("demo-token")
    for path in ("/apps", "/sessions", "/password"):
        album.open(path, path.strip("/"))


def doctor(album: Album) -> None:
    """Many patients to choose from, and the launcher."""
    album.ask()
    sign_in(album.page, "dr-green")
    album.keep("picker-many")
    album.open("/launcher", "launcher")


def moved(album: Album) -> None:
    """A token that was blocked at another address, the login after that, and a logout that the app asks for."""
    page, asked = album.page, {"client_id": "demo-symmetric", "redirect_uri": APP}
    page.route(f"{APP}*", lambda route: route.fulfill(body="the app"))
    album.ask(**asked)
    sign_in(page, "ben")
    page.get_by_role("button", name="Allow access").click()
    page.wait_for_url(f"{APP}*")
    code = parse_qs(urlsplit(page.url).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": APP, "code_verifier": VERIFIER}
    token = posted(album, "token", "demo-symmetric", **form)["access_token"]
    for address in ("198.51.100.7", "203.0.113.9"):
        posted(album, "introspect", "demo-resource-server", token=token, __client_ip=address)
    album.open("/apps", "apps-moved")
    album.ask(**asked)
    album.keep("login-new-address")
    album.open("/o/logout?client_id=demo-symmetric", "logout")


def posted(album: Album, path: str, client: str, **form: str) -> Any:
    return httpx.post(f"{album.url}/o/{path}", data=form, auth=(client, f"{client}-secret")).json()


def bad_tokens(album: Album) -> None:
    """The catalogue, a token of it, and what the bundled server answers."""
    page = album.page
    album.open("/dev/tokens", "dev-tokens")
    page.locator("button[value=aud-longer]").evaluate("button => button.closest('details').open = true")
    page.locator("button[value=aud-longer]").click()
    album.keep("dev-token")
    page.get_by_role("button", name="Send one to this FHIR server").click()
    page.get_by_role("heading", name="Your server refused it", exact=True).wait_for()
    album.keep("dev-token-sent")


def reasons(album: Album) -> None:
    """The console with a refused request opened, a pasted token and a reference explained, and a page of the docs."""
    page, order = album.page, {"client": "demo-public", "user": "amy"}
    good, expired = (
        httpx.post(f"{album.url}/dev/tokens", json={**order, **more}).json()["access_token"]
        for more in ({}, {"bad": "expired"})
    )
    for token, patient in ((good, "amy"), (expired, "amy"), (good, "ben")):
        read = {"Authorization": f"Bearer {token}"}
        httpx.get(f"{album.url}/fhir/r4/Patient/{patient}", headers=read)
    album.open("/dev/console", "console")
    page.locator("#rows tr.is-no a").first.click()
    album.keep("console-request")
    page.goto(f"{album.url}/explain")
    page.locator("[name=what]").fill(good)
    page.locator("[name=request]").fill("GET /fhir/r4/Patient/ben")
    page.get_by_role("button", name="Explain", exact=True).click()
    page.locator("#verdict").wait_for()
    album.keep("explain")
    refused = httpx.get(f"{album.url}/o/authorize?client_id=demo-public&redirect_uri=https://evil.example/cb")
    album.open(f"/explain/{refused.headers['X-Smartauth-Reason'].rpartition('(')[2].rstrip(')')}", "explain-reference")
    album.open("/dev/docs/docs/index.md", "docs")


def operator(album: Album) -> None:
    """The admin."""
    album.page.goto(f"{album.url}/admin/")
    sign_in(album.page, "admin")
    album.keep("admin")
    for place in LISTS:
        album.open(f"/admin/{place}/", f"admin-{place.partition('/')[2]}")
    album.page.goto(f"{album.url}/admin/oauth/accesstoken/")
    album.page.locator("#result_list th a").first.click()
    album.keep("admin-token-life")


def everything(browser: Browser, url: str) -> None:
    journeys: tuple[Callable[[Album], None], ...] = (
        lambda album: album.open("/", "home"), launch, sample_app, doctor, moved, bad_tokens, reasons, operator,
    )  # fmt: skip
    for width in (1280, 390):
        for scheme in SCHEMES:
            for journey in journeys:
                options: Any = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
                context = browser.new_context(**options)
                journey(Album(context.new_page(), url, f"{width}-{scheme}"))
                context.close()


def index() -> str:
    """The page that shows them, light and wide; the others are a link away."""
    names = sorted({path.name.rpartition("-1280-light")[0] for path in FOLDER.glob("*-1280-light.jpg")})
    rows = [f"## {name}\n\n![{name}]({name}-1280-light.jpg)\n\n{_other_looks(name)}\n" for name in names]
    return "# The pages\n\nTaken by `make shots` from a development server with its demo data.\n\n" + "\n".join(rows)


def _other_looks(name: str) -> str:
    links = f"[dark]({name}-1280-dark.jpg) · [phone]({name}-390-light.jpg) ·"
    last = f"[phone, dark]({name}-390-dark.jpg)"
    return f"{links} {last}" if len(links) + len(last) < 100 else f"{links}\n{last}"  # as all prose here is wrapped


@contextmanager
def development() -> Iterator[str]:
    """`make run` as it stands: no setting chosen, data in var/, port 8000."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SMARTAUTH_")}
    running = subprocess.Popen([sys.executable, "manage.py", "dev"], cwd=ROOT, env=plain, stdout=subprocess.DEVNULL)
    try:
        for _ in range(120):
            try:
                httpx.get(f"{URL}/healthz").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.5)
        yield URL
    finally:
        running.terminate()
        running.wait(30)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with development() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        everything(browser, url)
        browser.close()
    (FOLDER / "index.md").write_text(index(), encoding="utf-8")


if __name__ == "__main__":
    main()
