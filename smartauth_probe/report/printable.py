"""Text that a server may have had a hand in, so that a terminal, a file and a parser of XML can take it."""

import re

# controls but tab and line feed, halves of a pair (which no UTF-8 has), what turns the direction of writing
_NOT_PRINTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def printable(text: str) -> str:
    """The same text with a replacement character for each that does harm where it is printed."""
    return _NOT_PRINTED.sub("\ufffd", text)
