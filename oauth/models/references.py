"""Public references: what pages and events call a row."""

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]  # of ten bits


def public_reference(row: int) -> str:
    """The public number of a row, written 4-4 such as 2223-7F3K: names it on pages and in events, opens nothing."""
    return f"{_PAIRS[row >> 30 & 1023]}{_PAIRS[row >> 20 & 1023]}-{_PAIRS[row >> 10 & 1023]}{_PAIRS[row & 1023]}"


def parse_reference(number: str) -> int | None:
    """The row that a public number names; None for what is no number."""
    letters = number.strip().replace("-", "").upper()
    if len(letters) != 8 or not set(letters) <= set(_LETTERS):
        return None
    return sum(_LETTERS.index(letter) << 5 * place for place, letter in enumerate(reversed(letters)))
