"""The CycloneDX document of a release: valid, whole, and the same however often it is made."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.validation.json import JsonStrictValidator

from requirements.bill_of_materials import FORMAT, bill_of_materials
from requirements.licences import licence
from tests.running import ROOT

pytestmark = pytest.mark.one_engine


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    made = tmp_path / "smartauth-1.2.3-py3-none-any.whl"
    made.write_bytes(b"a wheel")
    return made


@pytest.fixture
def document(wheel: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(bill_of_materials(wheel))
    return read


def test_it_is_valid_by_the_schema_of_cyclonedx(wheel: Path) -> None:
    assert JsonStrictValidator(FORMAT).validate_str(bill_of_materials(wheel)) is None


def test_the_same_wheel_has_the_same_document_and_another_one_another_number(wheel: Path) -> None:
    first = bill_of_materials(wheel)
    again = bill_of_materials(wheel)
    wheel.write_bytes(b"another wheel")

    assert again == first
    assert json.loads(bill_of_materials(wheel))["serialNumber"] != json.loads(first)["serialNumber"]


def test_it_is_about_this_wheel(document: dict[str, Any], wheel: Path) -> None:
    about = document["metadata"]["component"]

    assert (about["name"], about["version"]) == ("smartauth", "1.2.3")
    assert about["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}]


def test_it_holds_every_package_of_the_lock_with_its_hashes_and_licence(document: dict[str, Any]) -> None:
    text = (ROOT / "requirements/base.txt").read_text(encoding="utf-8")
    locked = {
        pinned: sorted(re.findall("sha256:([0-9a-f]{64})", rest))
        for pinned, rest in re.findall(r"^(\S+==\S+) (.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    }
    python = [each for each in document["components"] if each["purl"].startswith("pkg:pypi/")]

    assert len(locked) > 40
    assert locked == {
        f"{each['name']}=={each['version']}": [found["content"] for found in each["externalReferences"][0]["hashes"]]
        for each in python
    }
    said = {each["name"]: each["licenses"][0] for each in python}
    assert {name: found.get("expression") or found["license"]["id"] for name, found in said.items()} == {
        name: licence(name) for name in said
    }


def test_who_needs_what_leads_from_smartauth_to_every_component(document: dict[str, Any]) -> None:
    needs = {each["ref"]: each.get("dependsOn", []) for each in document["dependencies"]}
    reached, ahead = set[str](), [document["metadata"]["component"]["bom-ref"]]
    while ahead:
        ref = ahead.pop()
        if ref not in reached:
            reached.add(ref)
            ahead += needs[ref]

    assert reached - {"pkg:pypi/smartauth@1.2.3"} == {each["bom-ref"] for each in document["components"]}


def test_extras_are_optional_and_the_script_in_the_wheel_is_named(document: dict[str, Any]) -> None:
    scopes = {each["name"]: each.get("scope") for each in document["components"]}
    script = (ROOT / "static/vendor/fhirclient/fhir-client.pure.min.js").read_bytes()
    (bundled,) = [each for each in document["components"] if each["purl"].startswith("pkg:npm/")]

    assert {name for name, scope in scopes.items() if scope == "optional"} == {
        "psycopg", "psycopg-binary", "redis", "async-timeout"
    }  # fmt: skip
    assert bundled["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(script).hexdigest()}]
