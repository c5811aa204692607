"""Which characters a name, a launch context, a page and an event must not hold: one set for all of them."""

import re

# control characters, line and paragraph separators, halves of surrogate pairs, and what changes the direction of the
# text that follows (Unicode UAX 9 §2, UTR 36 §2.10)
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def has_unsafe_characters(text: str) -> bool:
    """Whether it holds a character that can break a line, hide text or turn it around."""
    return _UNSAFE.search(text) is not None


def replace_unsafe_characters(text: str, replacement: str) -> str:
    """The text with something harmless in the place of each of these characters."""
    return _UNSAFE.sub(replacement, text)


def escape_surrogates(text: str) -> str:
    """The text with halves of surrogate pairs, which UTF-8 cannot hold, as their escapes (RFC 8259 §8.2)."""
    return text.encode(errors="backslashreplace").decode()


def ascii_excerpt(text: str, longest: int = 200) -> str:
    """What somebody typed or sent, as a sentence may name it: cut, with all that is not plain ASCII as escapes."""
    return ascii(text)[1:-1][:longest]


def is_printable_ascii(text: str) -> bool:
    """Whether it holds only the characters of a client_id (RFC 6749 appendix A.1)."""
    return text.isascii() and text.isprintable()
