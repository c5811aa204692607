"""What a person reads where no redirect is safe."""

import pytest

from smart.authorize.error_pages import ERROR_PAGES, Unredirectable


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
