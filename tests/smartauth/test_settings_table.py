"""docs/settings.md says what smartauth/settings.py does."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(
    r"^\| `(?P<name>SMARTAUTH_\w+)` \| (?P<default>[^|]+) \| (?P<meaning>[^|]+) \|(?P<unsafe>[^|]*)\|$", re.M
)
KNOWN: dict[str, Any] = {
    "SMARTAUTH_PORT": 8000,
    "SMARTAUTH_ISSUER": "http://127.0.0.1:8000",
    "_on_loopback": True,
    "SMARTAUTH_DEV": True,
    "BASE_DIR": Path(),
}


def in_code() -> dict[str, Any]:
    """Each variable that the settings read, with the default they give it; "" where something else steps in."""
    tree = ast.parse((ROOT / "smartauth/settings.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return {
        str(call.args[0].value): _default(call)
        for call in calls
        if isinstance(call.args[0], ast.Constant) and str(call.args[0].value).startswith("SMARTAUTH_")
    }


def _default(call: ast.Call) -> Any:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "default"]
    if not given:
        return ""
    return eval(compile(ast.Expression(given[0]), "settings", "eval"), {"str": str}, dict(KNOWN))


def in_table() -> dict[str, str]:
    """Each variable of the table, with its default as written."""
    found = ROW.finditer((ROOT / "docs/settings.md").read_text(encoding="utf-8"))
    return {row["name"]: row["default"].strip() for row in found}


def test_every_variable_stands_in_the_table_and_no_other() -> None:
    assert len(in_code()) > 20
    assert set(in_table()) == set(in_code())


@pytest.mark.parametrize("name", sorted(in_code()))
def test_the_table_tells_the_default(name: str) -> None:
    default, written = in_code()[name], in_table()[name]

    if default in ("", []):
        assert "`" not in written
    else:
        assert written == f"`{default}`"


def test_every_variable_that_python_reads_is_one_of_the_settings() -> None:
    read = {
        name
        for folder in ("accounts", "audit", "fhir", "introspection", "oauth", "smart", "smartauth")
        for file in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"environ(?:\.get\(|\[)\s*\"(SMARTAUTH_\w+)\"", file.read_text(encoding="utf-8"))
    }

    assert read <= set(in_code())
