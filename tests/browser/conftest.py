"""Chromium, and pages that must keep their console clean."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.fixture_types import Visit

SHOTS = Path(__file__).resolve().parents[2] / "test-results"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 45_000  # milliseconds, of which a slow machine may take many
# A click returns before the page that it leads to is there. Its events come at once, so they tell that this page goes.
LEAVING = """
addEventListener("submit", event => { if (!event.defaultPrevented) window.isLeaving = true; });
addEventListener("click", event => {
  const link = event.target.closest && event.target.closest("a[href]");
  const stays = !link || link.target || link.getAttribute("href").startsWith("#") || event.defaultPrevented;
  if (!stays) window.isLeaving = true;
});
"""
SETTLED = """() => !window.isLeaving && document.readyState === "complete"
  && document.getAnimations().every(each => each.playState !== "running")"""  # colours fade in the admin
REFUSED = "Failed to load resource: the server responded with a status of 4"  # asked for and wanted


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Visit:
    """A fresh browser profile; leaving it demands a clean console, the network's lines about refusals aside."""

    @contextmanager
    def opened(width: int = 1280, scheme: Any = "light", *, refusals: bool = False) -> Iterator[Page]:
        said: list[str] = []

        def hear(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"} and not (refusals and message.text.startswith(REFUSED)):
                said.append(message.text)

        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.add_init_script(LEAVING)
        page.on("console", hear)
        page.on("pageerror", lambda error: said.append(str(error)))
        yield page
        context.close()
        assert said == []

    return opened


def sign_in(page: Page, name: str, password: str = "smartauth-demo") -> None:
    """The login page, filled in and sent."""
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    settle(page)


def settle(page: Page) -> None:
    """Waits for the page that a click or a form leads to."""
    page.wait_for_function(SETTLED)


def looks_right(page: Page, name: str) -> None:
    """No sideways scroll; and a picture for people, but in CI, where nobody looks at it."""
    settle(page)
    if not os.environ.get("CI"):
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
