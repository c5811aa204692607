"""`/dev/docs/...`: the documentation as it lies there, with links that lead on, and no other file."""

import re
from typing import Any

import pytest

from oauth.demo.markdown import render_markdown
from tests.docs.pages import named, pages

pytestmark = [pytest.mark.one_engine, pytest.mark.django_db]


def test_a_page_reads_as_it_is_meant_and_its_links_lead_on(client: Any) -> None:
    text = client.get("/dev/docs/docs/index.md").content.decode()

    found = {link.partition("#")[0] for link in re.findall(r'<a href="([^"]+)">', text)}
    links = {link for link in found if link.startswith("/dev/docs/")}
    assert '<h1 id="map-of-the-docs">Map of the docs</h1>' in text
    assert text.count("<h1") == 1
    assert {"/dev/docs/README.md", "/dev/docs/docs/recipes/index.md", "/dev/docs/docs/bad-tokens.md"} <= links
    assert {link: client.get(link).status_code for link in links if client.get(link).status_code != 200} == {}


def test_every_page_is_shown_with_no_style_and_no_html_but_its_anchors(client: Any) -> None:
    for page in pages():
        text = client.get(f"/dev/docs/{named(page)}").content.decode()
        article = text.partition('<article class="docs">')[2].partition("</article>")[0]
        assert article, page
        assert not re.search(r"style=|&lt;a id=|&lt;br&gt;|&lt;!--", article), page


def test_a_place_in_a_page_is_found_by_its_link(client: Any) -> None:
    text = client.get("/dev/docs/docs/specification/bad-input.md").content.decode()

    assert '<span id="e47"></span><a href="/dev/docs/docs/specification/tests.md#e47">E47</a>' in text


def test_html_in_a_page_is_text_and_a_dangerous_link_is_none() -> None:
    odd = '# <b>x</b>\n\n<script>alert(1)</script> [a](javascript:alert(1)) <a id="x" onclick="y"></a>\n\n'
    odd += '```"><i>\nx\n```\n'

    shown = render_markdown(odd, lambda to: to)

    assert not re.search(r"<(script|b|i|a)\b", shown)


def test_a_picture_of_a_page_is_shown(client: Any) -> None:
    page = client.get("/dev/docs/docs/screenshots/index.md").content.decode()
    source = re.findall(r'<img src="([^"]+)"', page)[0]

    answer = client.get(source)

    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert b"".join(answer.streaming_content)[:2] == b"\xff\xd8"


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
