"""The pages of the sample app: in development alone, nothing inline, and the library as it was published."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from oauth.seeding import seed

ROOT = Path(__file__).resolve().parents[3]
VENDORED = [("static/vendor/fhirclient", "fhir-client.pure.min.js"), ("tests/vendor/axe-core", "axe.min.js")]
PAGES = ["/demo", "/demo/launch", "/demo/callback"]

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture
def demo(client: Any, settings: Any) -> Callable[[str], str]:
    """A page of the sample app, on a server with the demo."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    seed(ROOT / "smartauth.yaml")

    def page(path: str) -> str:
        response = client.get(path)
        assert response.status_code == 200
        return str(response.content.decode())

    return page


@pytest.mark.parametrize("path", PAGES)
def test_outside_development_there_is_no_such_page(client: Any, settings: Any, path: str) -> None:
    settings.SMARTAUTH_DEV = False

    response = client.get(path)

    assert response.status_code == 404
    assert "<h1>There is no such page</h1>" in response.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(demo: Callable[[str], str], client: Any, path: str) -> None:
    page = demo(path)

    policy = client.get(path)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<script(?![^>]*\ssrc=\"/static/)", page) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=", page) == []


def test_what_servers_say_reaches_the_page_as_text_alone() -> None:
    script = (ROOT / "static" / "demo.js").read_text(encoding="utf-8")

    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(", script) == []


def test_only_clients_and_scopes_that_work_are_offered(demo: Callable[[str], str]) -> None:
    page = demo("/demo")

    assert re.findall(r'<option value="([^"]+)" data-secret="([^"]*)"', page) == [
        ("demo-public", ""),
        ("demo-symmetric", "demo-symmetric-secret"),
        ("demo-versions", ""),
    ]
    offered = re.findall(r'name="scope" value="([^"]+)"', page)
    assert {"launch/patient", "patient/Patient.rs", "patient/*.rs"} <= set(offered)


CODES = {
    "r4": "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
    "stu3": "http://hl7.org/fhir/observation-category|vital-signs",
    "dstu2": "http://hl7.org/fhir/observation-category|vital-signs",
}


@pytest.mark.parametrize("version", CODES)
def test_each_version_has_its_base_its_clients_and_its_codes(demo: Callable[[str], str], version: str) -> None:
    base = f"http://127.0.0.1:8000/fhir/{version}"

    page = demo(f"/demo?version={version}")

    assert f'data-base="{base}" data-elsewhere' in page
    assert re.findall(r'aria-current="true" href="([^"]+)" data-base', page) == [f"/demo?version={version}"]
    assert f'value="patient/Observation.rs?category={CODES[version]}"' in page
    clients = re.findall(r'<option value="([^"]+)" data-secret', page)
    assert clients == (["demo-public", "demo-symmetric"] if version == "r4" else []) + ["demo-versions"]


def test_an_ehr_that_launches_it_chooses_the_base_and_a_foreign_one_none(demo: Callable[[str], str]) -> None:
    def base(iss: str) -> str:
        page = demo(f"/demo/launch?{urlencode({'iss': iss})}")
        return str(re.findall(r'data-base="([^"]+)" data-elsewhere', page)[0])

    of_demo = "http://127.0.0.1:8000/fhir"
    assert base(f"{of_demo}/stu3/") == f"{of_demo}/stu3"
    assert base("https://evil.example/fhir/stu3") == base(f"{of_demo}/stu3/x") == f"{of_demo}/r4"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_pages_take_no_other_method(client: Any, method: str) -> None:
    assert getattr(client, method)("/demo").status_code in {403, 405}


@pytest.mark.parametrize(("folder", "name"), VENDORED)
def test_a_vendored_file_is_the_published_one(folder: str, name: str) -> None:
    content = (ROOT / folder / name).read_bytes()

    assert hashlib.sha256(content).hexdigest() in (ROOT / folder / "README.md").read_text(encoding="utf-8")
    assert (ROOT / folder / "LICENSE").exists()
