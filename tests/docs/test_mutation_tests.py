"""The list of survivors that are no gap stands in one place, and docs/mutation-tests.md shows it."""

from tests.mutants import survivors


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
