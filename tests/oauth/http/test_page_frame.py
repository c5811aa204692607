"""What holds for the template of every page: a title that says where one is, nothing inline, no need of script."""

import re
from pathlib import Path

import pytest

from tests.running import ROOT

pytestmark = pytest.mark.one_engine

TEMPLATES = sorted((ROOT / "templates").glob("*.html"))
PAGES = [template for template in TEMPLATES if "{% extends" in template.read_text(encoding="utf-8")]
NEEDS_SCRIPT = ["demo.html"]  # the sample app is an app in the browser
SAVES_TIME = [
    "console.html",
    "dev_probe.html",
    "dev_tokens.html",
    "work.html",
]  # without script nothing is missing


def test_only_the_sample_app_needs_script_and_it_says_so() -> None:
    scripted = [each for each in TEMPLATES if "<script" in each.read_text(encoding="utf-8")]
    needing = [each for each in scripted if each.name not in SAVES_TIME]

    assert [each.name for each in needing] == NEEDS_SCRIPT
    assert all("<noscript>" in each.read_text(encoding="utf-8") for each in needing)


@pytest.mark.parametrize("template", PAGES, ids=lambda each: each.name)
def test_a_page_has_a_title_and_nothing_inline(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    parent = re.search(r'{% extends "(?!base|work)([\w.]+)" %}', text)
    above = (template.parent / parent[1]).read_text(encoding="utf-8") if parent else ""
    frame = template.name == "work.html"

    assert frame or re.search(r"{% block title %}.+{% endblock %}", text + above)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?! src=)", text)
