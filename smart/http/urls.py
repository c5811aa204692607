"""URLs that others sent, as pages and events may show them."""

import re

from smart.text import replace_unsafe_characters

LONGEST = 120
_USER_INFO = re.compile(r"^([^:/\\@]*:)?([/\\]*)[^/\\]*@")


def public_part(url: str) -> str:
    """The URL without what may be secret or personal: user name, query, fragment; at most LONGEST characters.

    Of javascript:, data: and the like, where content follows the colon, only the scheme.
    """
    head = _USER_INFO.sub(r"\1\2", url.partition("#")[0].partition("?")[0])
    scheme, colon, rest = head.partition(":")
    is_path = not colon or "." in scheme or rest.startswith(("/", "\\"))
    return replace_unsafe_characters(head if is_path else f"{scheme}:", "?")[:LONGEST]
