"""Code and files that stand in a page as an example do what the page says."""

import re
from typing import Any

import httpx
import pytest

from tests.docs.pages import blocks
from tests.running import ROOT, Server

README = ROOT / "README.md"
EXAMPLE = re.compile(r"^    (fhir_servers:\n(?:(?:    .*)?\n)+)", re.M)


@pytest.fixture
def allowed(server: Server) -> Any:
    """The function in README."""
    (block,) = (block for block in blocks(README) if block.language == "python")
    scope: dict[str, Any] = {}
    exec(block.text.replace("http://127.0.0.1:8000", server.url), scope)
    return scope["allowed"]


@pytest.mark.requirement("TV-05", "TV-07")
def test_the_ten_lines_of_the_readme_refuse_what_they_should(server: Server, allowed: Any) -> None:
    token = server.manage("token", "--client", "demo-public", "--user", "amy", "--patient", "amy").strip()
    shown = f"Bearer {token}"

    assert allowed(shown, "amy", "patient/*.rs") is True
    assert allowed(shown, "ben", "patient/*.rs") is False
    assert allowed(shown, "amy", "patient/*.cruds") is False
    assert allowed("Bearer garbage", "amy", "patient/*.rs") is False
    httpx.post(f"{server.url}/o/revoke", data={"client_id": "demo-public", "token": token}).raise_for_status()
    assert allowed(shown, "amy", "patient/*.rs") is False


def test_the_example_of_the_seed_file_gives_a_secret_that_introspects(server: Server) -> None:
    page = (ROOT / "docs/seed-file.md").read_text(encoding="utf-8")
    (example,) = (re.sub(r"^    ", "", found, flags=re.M) for found in EXAMPLE.findall(page))
    file = server.folder / "example.yaml"
    file.write_text(example, encoding="utf-8")

    printed = server.manage("seed", str(file))

    secret = printed.rsplit(" ", 1)[-1].strip()
    asked = httpx.post(f"{server.url}/o/introspect", data={"token": "x"}, auth=("example-fhir-server", secret))
    assert (asked.status_code, asked.json()) == (200, {"active": False})
