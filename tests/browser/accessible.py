"""axe-core on a page as it stands, and the way to a token of the sample app."""

from pathlib import Path

from playwright.sync_api import Page

from tests.browser.conftest import looks_right, settle, sign_in
from tests.running import Server

AXE = (Path(__file__).resolve().parents[1] / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
RUN = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"], preload: false });
    return violations.map(({ id, nodes }) => `${id}: ` + nodes.map((node) => node.target.join(" ")).join(", "));
}"""
WIDTHS = [1280, 390]


def clean(page: Page, name: str) -> None:
    """Nothing that axe-core knows is wrong with the page as it stands, in any of its four looks."""
    found: dict[str, list[str]] = {}
    settle(page)
    page.evaluate(f"() => {{ {AXE}\n}}")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            settle(page)
            if wrong := page.evaluate(RUN):
                found[f"{name}, {width}, {scheme}"] = wrong
            looks_right(page, f"axe-{name}-{width}-{scheme}")
    assert found == {}


def allowed(page: Page, server: Server, name: str) -> None:
    """The sample app has a token of carol for dan."""
    page.goto(f"{server.url}/demo")
    page.get_by_role("button", name="Launch the app").click()
    sign_in(page, name)
    page.get_by_role("radio", name="Dan").check()
    page.get_by_role("button", name="Continue with this patient").click()
    page.get_by_role("button", name="Allow access").click()
    page.locator("#result").wait_for()
