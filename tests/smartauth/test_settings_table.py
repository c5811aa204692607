"""The settings that Django has are those of the table, and nothing else reads the environment."""

import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from smartauth import settings as module
from smartauth.environment import defaults
from smartauth.settings_table import SETTINGS, Setting

pytestmark = pytest.mark.one_engine

ROOT = Path(__file__).resolve().parents[2]
UNDER_ANOTHER_NAME = {
    "SMARTAUTH_SECRET_KEY",
    "SMARTAUTH_ALLOWED_HOSTS",
    "SMARTAUTH_DATABASE_URL",
    "SMARTAUTH_AUDIT_DATABASE_URL",
    "SMARTAUTH_IPV4_PREFIX",
    "SMARTAUTH_IPV6_PREFIX",
}


@pytest.mark.parametrize(
    "setting", [each for each in SETTINGS if each.name not in UNDER_ANOTHER_NAME], ids=lambda setting: setting.name
)
def test_every_row_is_a_setting_of_its_type(setting: Setting[Any]) -> None:
    declared = get_type_hints(module)[setting.name]

    assert isinstance(defaults()[setting], getattr(declared, "__origin__", declared))
    assert isinstance(getattr(module, setting.name), getattr(declared, "__origin__", declared))


def test_every_row_is_read() -> None:
    source = (ROOT / "smartauth/settings.py").read_text(encoding="utf-8")

    assert set(re.findall(r"_env\[table\.(\w+)\]", source)) == {
        setting.name.removeprefix("SMARTAUTH_") for setting in SETTINGS
    }


def test_every_variable_that_python_reads_is_one_of_the_settings() -> None:
    read = {
        name
        for folder in ("accounts", "audit", "fhir", "introspection", "oauth", "operators", "smart", "smartauth")
        for file in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"environ(?:\.get\(|\[)\s*\"(SMARTAUTH_\w+)\"", file.read_text(encoding="utf-8"))
    }

    assert read <= {setting.name for setting in SETTINGS}


def test_no_setting_has_a_second_default() -> None:
    doubled = re.compile(r"getattr\(settings, \"SMARTAUTH_")

    for folder in ("accounts", "audit", "fhir", "introspection", "oauth", "operators"):
        for file in (ROOT / folder).rglob("*.py"):
            assert not doubled.search(file.read_text(encoding="utf-8")), file
