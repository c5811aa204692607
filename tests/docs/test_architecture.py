"""The tree and the layers in docs/architecture.md are those of the code."""

import re
import tomllib

import pytest

from tests.running import ROOT

pytestmark = pytest.mark.one_engine

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TREE, LAYERS, WORKBENCH = re.findall(r"^```text\n(.*?)^```$", PAGE, re.M | re.S)
NO_PACKAGES = {"__init__", "__pycache__", "apps", "migrations"}


def packages_of_oauth() -> set[str]:
    return {path.stem for path in (ROOT / "oauth").iterdir() if path.suffix in {"", ".py"}} - NO_PACKAGES


def test_the_tree_names_every_package_of_the_authorization_server() -> None:
    _, _, inside = TREE.partition("\noauth/")

    named = set(re.findall(r"^  (\w+)(?:/|\.py) | (\w+)(?:/|\.py) ", inside.partition("\naccounts/")[0], re.M))

    assert {first or second for first, second in named} == packages_of_oauth()


def test_the_tree_names_every_package() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench", "demo"}

    assert set(re.findall(r"^(\w+)/", TREE, re.M)) == packages | {"clients"}  # distributions, no package


def contract(package: str) -> list[list[str]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract.get("containers") == [package])
    return [re.split(r" [|] ", layer) for layer in layers]


def test_the_layers_are_those_that_the_linter_checks() -> None:
    assert [line.split() for line in LAYERS.splitlines()] == contract("oauth")
    assert {name for line in LAYERS.splitlines() for name in line.split()} == packages_of_oauth()


def test_the_packages_of_the_workbench_are_those_that_the_linter_checks() -> None:
    assert [re.split(r" {3,}", line)[0].split() for line in WORKBENCH.splitlines()] == contract("oauth.workbench")
