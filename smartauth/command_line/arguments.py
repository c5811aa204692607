"""Arguments of a command line before anybody reads them."""

import sys
from collections.abc import Sequence


def exit_if_not_utf_8(arguments: Sequence[str], program: str) -> None:
    """Exits with the place of the first argument that holds bytes which are no UTF-8 (PEP 383)."""
    for place, argument in enumerate(arguments):
        if any("\ud800" <= character <= "\udfff" for character in argument):
            sys.exit(f"{program}: argument {place} is not UTF-8: {argument!a}")
