"""Public references: what pages and events call a row."""

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def public_reference(row: int) -> str:
    """The public number of a row, written 4-4 such as 2223-7F3K: names it on pages and in events, opens nothing."""
    letters = "".join(_LETTERS[row >> shift & 31] for shift in range(35, -1, -5))
    return f"{letters[:4]}-{letters[4:]}"


def parse_reference(number: str) -> int | None:
    """The row that a public number names; None for what is no number."""
    letters = number.strip().replace("-", "").upper()
    if len(letters) != 8 or not set(letters) <= set(_LETTERS):
        return None
    return sum(_LETTERS.index(letter) << 5 * place for place, letter in enumerate(reversed(letters)))
