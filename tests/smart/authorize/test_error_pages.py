"""What a person reads where no redirect is safe."""

import pytest

from smart.authorize.error_pages import ERROR_PAGES, Unredirectable
from smart.explanation import Explanation


@pytest.mark.requirement("AZ-06")
@pytest.mark.parametrize("case", sorted(ERROR_PAGES))
def test_every_case_has_words_a_rule_and_an_error_status(case: str) -> None:
    refusal = Unredirectable(case, "why")

    assert refusal.message("<b>Growth</b>")
    assert "{" not in refusal.message() + refusal.fix
    assert refusal.status >= 400
    assert refusal.rule.startswith("AZ-")


@pytest.mark.parametrize(
    ("case", "status"), [("E1", 400), ("E4", 400), ("E30", 403), ("E37", 415), ("E39", 414), ("E40", 403)]
)
def test_the_status_says_what_kind_of_refusal_it_was(case: str, status: int) -> None:
    assert Unredirectable(case).status == status


def test_the_app_is_named_only_if_it_is_known() -> None:
    assert Unredirectable("E4").message("Growth").startswith("Growth asked us")
    assert Unredirectable("E4").message().startswith("The app asked us")


def test_a_page_is_explained_by_its_reason_and_by_what_came_or_by_its_words() -> None:
    refusal = Unredirectable("E4", "not registered", presented="https://x.example", expected="https://y.example")
    bare = Unredirectable("E4")

    assert (str(refusal), str(bare)) == ("E4: not registered", "E4")
    assert refusal.explanation == Explanation(
        "AZ-05", "not registered", "https://x.example", "https://y.example", case="E4"
    )
    assert bare.explanation.what.startswith("the app asked us to send you back")
    assert (bare.explanation.presented, bare.explanation.expected) == ("", "")
