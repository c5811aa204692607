"""User names however they are typed: pasted blanks, accents beside their letters, other widths."""

import secrets

import pytest

from accounts.login import attempt
from accounts.models import User
from accounts.usernames import find_user, is_similar_taken

pytestmark = pytest.mark.django_db
NOW = 1_700_000_000_000_000


@pytest.fixture
def name() -> str:
    return f"jos\u00e9-{secrets.token_hex(4)}"


@pytest.mark.parametrize(
    "typed",
    [" {} ", "\t{}\n", "\u00a0{}\u3000"],
    ids=["blanks", "tab and line break", "other blanks"],
)
def test_pasted_blanks_around_a_name_do_not_matter(name: str, typed: str) -> None:
    person = User.objects.create_user(name, "correct horse battery")

    assert find_user(typed.format(name)) == person
    assert attempt(typed.format(name), "correct horse battery", "192.0.2.1", now=NOW).user == person


def test_accents_beside_their_letters_and_wide_letters_mean_the_same_name(name: str) -> None:
    person = User.objects.create_user(name)

    assert find_user(name.replace("\u00e9", "e\u0301")) == person
    assert find_user(name.replace("j", "\uff4a")) == person


def test_a_name_from_before_the_rule_is_found_as_it_is_kept() -> None:
    wide = User.objects.create_user(f"\uff41{secrets.token_hex(4)}")

    assert find_user(wide.username) == wide


@pytest.mark.parametrize("odd", ["", "a\0b", "\ud800", "x" * 20_000, "\ufdfa" * 150], ids=ascii)
def test_what_no_name_can_be_is_nobody(odd: str) -> None:
    assert find_user(odd) is None
    assert not is_similar_taken(odd)
    assert attempt(odd[:200], "x", "192.0.2.1", now=NOW).result == "wrong"


def test_failures_count_for_the_name_however_it_is_typed(name: str) -> None:
    tried = attempt(f"  {name} ", "wrong", "192.0.2.1", now=NOW)

    assert tried.name == name


@pytest.mark.parametrize(("kept", "other"), [("amy.X", "AMY.x"), ("\u00c4nne", "\u00e4NNE"), ("a+b", "A+B")])
def test_a_name_in_other_case_is_taken(kept: str, other: str) -> None:
    salt = secrets.token_hex(4)
    person = User.objects.create_user(f"{kept}{salt}")

    assert is_similar_taken(f"{other}{salt}")
    assert not is_similar_taken(f"{other}{salt}", but=person.pk)
    assert not is_similar_taken(f"{other}-{salt}")
