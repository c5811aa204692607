"""The units of deploy/systemd, checked by systemd itself, and that they ask for what the product has."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from smartauth.environment import FROM_FILE
from smartauth.settings_table import SETTINGS
from tests.running import ROOT

pytestmark = pytest.mark.one_engine

FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
COMMAND = "/opt/smartauth/bin/smartauth"


def read(unit: Path) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read(unit, encoding="utf-8")
    return parsed


def test_there_is_a_unit_for_the_server_and_one_for_the_worker() -> None:
    started = {unit.stem: read(unit)["Service"]["ExecStart"].split()[:2] for unit in UNITS}

    assert started == {"smartauth": [COMMAND, "serve"], "smartauth-worker": [COMMAND, "worker"]}


def test_systemd_finds_nothing_wrong_with_a_unit(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        (tmp_path / unit.name).write_text(text.replace(COMMAND, str(shutil.which("true"))), encoding="utf-8")

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert not [line for line in done.stderr.splitlines() if "smartauth" in line]
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_gives_no_rights_that_the_product_does_not_need(unit: Path) -> None:
    service = read(unit)["Service"]

    assert service["User"] == "smartauth"
    assert service["ProtectSystem"] == "strict"
    assert (service["NoNewPrivileges"], service["CapabilityBoundingSet"]) == ("yes", "")
    assert (service["StateDirectory"], service["StateDirectoryMode"], service["UMask"]) == ("smartauth", "0700", "0077")


def test_the_settings_of_the_units_are_settings_of_the_product() -> None:
    lines = [line for line in (FOLDER / "environment").read_text(encoding="utf-8").splitlines() if line[:1] not in "#"]
    names = {setting.name for setting in SETTINGS}
    files = {f"{setting.name}{FROM_FILE}" for setting in SETTINGS if setting.may_be_secret}

    given = {line.partition("=")[0] for line in lines}

    assert len(given) > 5
    assert given <= names | files
