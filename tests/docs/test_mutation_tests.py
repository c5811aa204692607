"""The list of survivors that are no gap stands in one place, and docs/mutation-tests.md shows it."""

import pytest

from tests.mutants import results, survivors
from tests.mutants.survivors import Accepted, Survivor


def test_the_page_shows_every_accepted_survivor_with_its_reason() -> None:
    page = survivors.DOCS.read_text(encoding="utf-8")

    assert survivors.with_table(page) == page, "python -m tests.mutants --document"
    assert all(each.reason in page for each in survivors.accepted())


def test_a_survivor_is_accepted_for_its_own_change_alone() -> None:
    diff = "-    if a and b <= 3:\n+    if a and b < 3:"

    assert survivors.change_of(diff) == "<= -> <"
    assert survivors.function_of("oauth.keys.x__promote__mutmut_5") == "oauth.keys._promote"
    assert survivors.function_of("smart.a.xǁUseǁof__mutmut_12") == "smart.a.Use.of"
    entry = survivors.Accepted(("smart.a.*",), ("<= -> <", '* -> ""'), "", "a reason")
    changes = ["<= -> <", '"x" -> ""', "<= -> >", "< -> <="]
    assert [entry.is_like(survivors.Survivor("smart.a.Use.of", change)) for change in changes] == [
        True,
        True,
        False,
        False,
    ]
    assert not entry.is_like(survivors.Survivor("smart.b.of", "<= -> <"))


def test_where_the_change_says_too_little_the_line_must_hold_the_text() -> None:
    entry = Accepted(("smart.a.of",), ("or -> and",), "", "a reason", "since =")
    lines = (survivors.lines_of(f"-    {line} a or b\n+    {line} a and b") for line in ("since =", "return"))

    assert [entry.is_like(Survivor("smart.a.of", "or -> and", line)) for line in lines] == [True, False]


def test_what_no_survivor_is_like_is_named_once_all_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Accepted(("smart.a.of", "smart.b.of"), ("x ->", "y ->"), "", "a reason")
    monkeypatch.setattr(survivors, "accepted", lambda: [entry])
    found = [Survivor("smart.a.of", "x ->")]

    assert survivors.unmatched(found, lambda where: True) == ["smart.b.of: x ->, y ->", "smart.a.of, smart.b.of: y ->"]
    assert survivors.unmatched(found, lambda where: where == "smart.a.of") == []


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("smart.decisions.*._base", ["fhir"]),
        ("oauth.tokens.*", ["token-endpoint", "introspection"]),
        ("oauth.tokens.access_token.AccessToken.of", ["token-endpoint"]),
        ("oauth.keys.nothing.nobody", []),
    ],
)
def test_the_packages_of_an_entry_are_those_that_break_its_code(where: str, names: list[str]) -> None:
    modules = results.modules_of(where)

    assert [name for name, package in results.PACKAGES.items() if results.breaks_one_of(package, modules)] == names
