"""Code and files that stand in a page as an example do what the page says."""

import re

import httpx
import pytest

from tests.running import ROOT, Server

pytestmark = pytest.mark.one_engine

EXAMPLE = re.compile(r"^    (fhir_servers:\n(?:(?:    .*)?\n)+)", re.M)


def test_the_example_of_the_seed_file_gives_a_secret_that_introspects(server: Server) -> None:
    page = (ROOT / "docs/seed-file.md").read_text(encoding="utf-8")
    (example,) = (re.sub(r"^    ", "", found, flags=re.M) for found in EXAMPLE.findall(page))
    file = server.folder / "example.yaml"
    file.write_text(example, encoding="utf-8")

    printed = server.manage("seed", str(file))

    secret = printed.rsplit(" ", 1)[-1].strip()
    asked = httpx.post(f"{server.url}/o/introspect", data={"token": "x"}, auth=("example-fhir-server", secret))
    assert (asked.status_code, asked.json()) == (200, {"active": False})
