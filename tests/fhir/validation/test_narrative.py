"""Narratives that may be stored, and those that a browser or an XML parser should never meet."""

import pytest

from fhir.validation.narrative import narrative_problem

pytestmark = pytest.mark.one_engine


def div(inside: str) -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'


@pytest.mark.parametrize(
    "narrative",
    [
        div("Amy Shaw, <b>female</b>&nbsp;&amp; well.<br/>"),
        div('<p class="summary" xml:lang="en" lang="en">1 &lt; 2</p>'),
        div('<table border="1"><tbody><tr><td colspan="2">Weight</td></tr></tbody></table>'),
        div('<a href="https://example.org/">more</a> <a href="#note">note</a>'),
        '<x:div xmlns:x="http://www.w3.org/1999/xhtml"/>'.replace("x:", "").replace(":x", ""),
    ],
)
def test_what_fhir_allows_is_stored(narrative: str) -> None:
    assert narrative_problem(narrative) == ""


@pytest.mark.requirement("SD-19")
@pytest.mark.parametrize(
    "narrative",
    [
        div("<script>alert(1)</script>"),
        div('<p onclick="alert(1)">x</p>'),
        div('<a href="javascript:alert(1)">x</a>'),
        div('<a href=" java\nscript:alert(1)">x</a>'),
        div('<img src="data:text/html,x" alt=""/>'),
        div('<iframe src="https://example.org"/>'),
        div("<form><input/></form>"),
        div('<p style="background:url(https://example.org)">x</p>'),
        div("<![CDATA[<script>alert(1)</script>]]>"),
        div("<!-- <script>alert(1)</script> -->"),
        div("<?xml-stylesheet href='x'?>"),
        '<!DOCTYPE div [<!ENTITY a "aaaa">]>' + div("&a;"),
        div('<svg xmlns="http://www.w3.org/2000/svg"><style>x</style></svg>'),
        div('<b xmlns="urn:other">x</b>'),
        div("<p>not closed"),
        div("&unknown;"),
        "<div>of no namespace</div>",
        '<p xmlns="http://www.w3.org/1999/xhtml">no div</p>',
        "<x:div xmlns:x='http://www.w3.org/1999/xhtml'><x:script>1</x:script></x:div>",
        div("x" * 262_145),
        "",
    ],
)
def test_what_runs_or_loads_or_is_read_in_two_ways_is_refused(narrative: str) -> None:
    assert narrative_problem(narrative)


@pytest.mark.requirement("SD-19")
def test_a_prefix_that_only_an_xml_parser_resolves_is_refused() -> None:
    assert "another way" in narrative_problem('<x:div xmlns:x="http://www.w3.org/1999/xhtml"><x:b>x</x:b></x:div>')
