import pytest

from smart.text import (
    ascii_excerpt,
    escape_surrogates,
    has_unsafe_characters,
    is_printable_ascii,
    replace_unsafe_characters,
)

UNSAFE = {
    "NUL": "\0",
    "line feed": "\n",
    "C1 control": "\x85",
    "line separator": "\u2028",
    "half a surrogate pair": "\ud800",
    "right-to-left override": "\u202e",
    "right-to-left mark": "\u200f",
    "isolate": "\u2067",
    "arabic letter mark": "\u061c",
}


@pytest.mark.parametrize("character", UNSAFE.values(), ids=UNSAFE.keys())
def test_a_character_that_breaks_or_turns_a_line_is_found_and_replaced(character: str) -> None:
    assert has_unsafe_characters(f"a{character}b")
    assert replace_unsafe_characters(f"a{character}b", "?") == "a?b"


@pytest.mark.parametrize("text", ["", "Amy Shaw", "Zoë Müller-Lüdenscheidt", "איימי", "艾米", "👩‍⚕️", "a b"])
def test_names_in_every_script_are_left_alone(text: str) -> None:
    assert not has_unsafe_characters(text)
    assert replace_unsafe_characters(text, "?") == text


@pytest.mark.parametrize(("text", "printable"), [("app-1 x", True), ("", True), ("ä", False), ("a\tb", False)])
def test_printable_ascii_is_what_a_client_id_may_hold(text: str, printable: bool) -> None:
    assert is_printable_ascii(text) is printable


@pytest.mark.parametrize(
    ("text", "excerpt"), [("app-1 x", "app-1 x"), ("ä\n", "\\xe4\\n"), ("it's", "it's"), ("a" * 300, "a" * 200)]
)
def test_a_sentence_names_a_value_in_ascii_and_in_bounds(text: str, excerpt: str) -> None:
    assert ascii_excerpt(text) == excerpt


def test_half_a_character_becomes_its_escape() -> None:
    assert escape_surrogates("a\ud800b\udfff") == "a\\ud800b\\udfff"
    assert escape_surrogates("Zoë 👩 \\ud800") == "Zoë 👩 \\ud800"
