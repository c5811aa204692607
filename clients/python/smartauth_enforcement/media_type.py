"""What a body says that it is, where two servers read it alike (RFC 9110 §8.3.1)."""

import re

FORM = "application/x-www-form-urlencoded"
JSON = ("application/fhir+json", "application/json")

_NAME = r"[!#$%&'*+.^`|~0-9A-Za-z-]+"
_PARAMETER = rf';[ \t]*(?:({_NAME})=("[^"\\\x00-\x1f\x7f]*"|{_NAME})[ \t]*)?'
_CONTENT_TYPE = re.compile(rf"({_NAME}/{_NAME})[ \t]*((?:{_PARAMETER})*)")
_UTF_8 = ("utf-8", "utf8")


def media_type_in_utf_8(content_type: str) -> str:
    """The media type in lower case; "" where the header is none, is several, or names another encoding.

    Some frameworks obey a charset: in UTF-7 the same bytes are another resource (RFC 8259 §8.1). Of two headers nobody
    knows which one counts.
    """
    found = _CONTENT_TYPE.fullmatch(content_type.strip(" \t"))
    if found is None:
        return ""
    named = re.findall(_PARAMETER, found[2])
    charsets = [value.strip('"').lower() for name, value in named if name.lower().partition("*")[0] == "charset"]
    return found[1].lower() if all(charset in _UTF_8 for charset in charsets) else ""
