"""clients/javascript as npm packs it, tried by its own tests, which node runs."""

import os
import re
import subprocess

import pytest

from tests.npm import PACKAGE, packed

pytestmark = [pytest.mark.clients, pytest.mark.one_engine]


@pytest.mark.requirement("TV-15", "TV-18", "TV-29", "TV-31", "SR-13", "HI-01")
def test_what_its_tests_promise_of_the_tarball_holds() -> None:
    tests = sorted(map(str, (PACKAGE / "test").glob("*.test.js")))
    environment = {**os.environ, "NODE_PATH": str(packed() / "node_modules")}

    done = subprocess.run(["node", "--test", *tests], env=environment, capture_output=True, text=True, timeout=300)

    assert (done.returncode, len(tests)) == (0, 2), done.stdout


def test_the_tarball_holds_the_code_and_its_types_and_nothing_else() -> None:
    shipped = {file.name for file in (packed() / "node_modules" / "smartauth-enforcement").iterdir()}
    code = {file.name for file in PACKAGE.glob("*.js")}

    assert shipped == code | {"index.d.ts", "package.json", "README.md", "LICENSE"}


def test_the_types_name_every_option() -> None:
    types = (PACKAGE / "index.d.ts").read_text(encoding="utf-8")
    (described,) = re.findall(r"^export interface EnforcementOptions \{\n(.*?)^\}", types, re.M | re.S)
    taken = re.findall(r"const \{(.*?)\} = (?:options|rest);", (PACKAGE / "enforcement.js").read_text(encoding="utf-8"))
    names = {part.split(" = ")[0].split(":")[0].strip() for line in taken for part in re.split(r",(?![^\[]*\])", line)}

    assert set(re.findall(r"^  (\w+)\??:", described, re.M)) == {name for name in names if not name.startswith("...")}
