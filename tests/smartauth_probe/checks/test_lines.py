"""Every line of the checklist for a FHIR server has a check, or stands in docs/probe.md with those that prove it."""

import re

import pytest

from smartauth_probe.checks import all_checks
from tests.running import ROOT

pytestmark = pytest.mark.one_engine
LINE = re.compile(r'<a id="[a-z0-9-]+"></a>\[([A-Z0-9]{2}-\d+)\]')
ROW = re.compile(r"^\| ([A-Z0-9]{2}-\d+) \| (.+) \|$", re.M)
OUTSIDE = ("not from outside: ", "a matter of policy")


def lines() -> list[str]:
    return LINE.findall((ROOT / "docs/specification/resource-server.md").read_text(encoding="utf-8"))


def rows() -> dict[str, str]:
    page = (ROOT / "docs/probe.md").read_text(encoding="utf-8")
    return dict(ROW.findall(page.partition("## Lines without a check")[2].partition("\n## ")[0]))


def test_a_line_has_a_check_or_a_row() -> None:
    named = {check.id for check in all_checks()}

    assert len(lines()) > 180
    assert [line for line in lines() if line not in named | rows().keys()] == []


def test_a_row_is_of_a_line_that_no_check_names() -> None:
    named = {check.id for check in all_checks()}

    assert [line for line in rows() if line in named or line not in lines()] == []


def test_a_row_names_checks_that_there_are_or_says_why_there_is_none() -> None:
    names = {check.name for check in all_checks()}

    for line, words in rows().items():
        found = set(re.findall(r"`([a-z0-9-]+)`", words)) if not words.startswith(OUTSIDE) else set()
        assert found or words.startswith(OUTSIDE), line
        assert found - {"tokens"} <= names, (line, found - names)
