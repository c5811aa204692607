"""`/dev/docs/...`: the documentation as it lies there, with links that lead on, and no other file."""

import html
import re
from typing import Any

import pytest

pytestmark = [pytest.mark.one_engine, pytest.mark.django_db]


def test_a_page_is_its_markdown_with_links_that_lead_on(client: Any) -> None:
    page = client.get("/dev/docs/docs/index.md")

    text = html.unescape(page.content.decode())
    links = re.findall(r"<pre.*</pre>", text, re.S)[0]
    found = set(re.findall(r'<a href="([^"]+)">', links))
    assert "<h1>Map of the docs</h1>" in text
    assert {"/dev/docs/README.md", "/dev/docs/docs/recipes/index.md", "/dev/docs/docs/bad-tokens.md"} <= found
    assert {link: client.get(link).status_code for link in found if client.get(link).status_code != 200} == {}


@pytest.mark.parametrize(
    "name",
    [
        "docs",
        "docs/none.md",
        "CHANGELOG.md",
        "smartauth/settings.py",
        "docs/../SECURITY.md",
        "/etc/passwd",
        "docs/\0.md",
        pytest.param(f"docs/{'a' * 300}.md", id="longer than a name can be"),
        pytest.param(f"docs/{'a/' * 3000}a.md", id="longer than a path can be"),
    ],
)
def test_no_other_file_is_shown(client: Any, name: str) -> None:
    assert client.get(f"/dev/docs/{name}").status_code == 404
