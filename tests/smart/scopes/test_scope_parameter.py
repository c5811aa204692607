import pytest

from smart.http.errors import InvalidScope
from smart.scopes.scope_parameter import check_characters, check_count


@pytest.mark.requirement("E13", "E14")
@pytest.mark.parametrize("text", ["", "  ", 'a"b', "a\\b", "a\tb", "patient/*.rs\n", "ä"])
def test_no_scope_and_a_character_that_no_scope_has_are_refused(text: str) -> None:
    with pytest.raises(InvalidScope):
        check_characters(text)


def test_any_scope_in_legal_characters_passes() -> None:
    check_characters("openid patient/Observation.rs?category=a|b nonsense")


@pytest.mark.requirement("SCP-21")
def test_only_restricted_scopes_are_counted() -> None:
    restricted = [f"patient/Observation.rs?code=a|{number}" for number in range(101)]

    check_count(" ".join([*restricted[:100], *(f"x{number}" for number in range(500))]))
    with pytest.raises(InvalidScope, match="more than 100"):
        check_count(" ".join(restricted))
