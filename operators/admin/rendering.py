"""How values look in the operators' lists: text, escaped, never a control character or more than a line of it."""

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from oauth.ending.reasons import reason
from smart.time_units import to_datetime

LONGEST = 120


def tag(word: str, tone: str = "") -> SafeString:
    """A state as a word in a frame; colour only underlines it."""
    return format_html('<span class="sa-tag{}">{}</span>', f" sa-{tone}" if tone else "", word)


def state_tag(code: str) -> SafeString:
    """The state of a token or authorization: why it is dead, or live."""
    if not code:
        return tag("live", "good")
    why = reason(code)
    return tag(why.tag, why.tone)


def time_element(microseconds: int) -> SafeString | str:
    """A time as text, exact to the second."""
    if not microseconds:
        return "-"
    at = to_datetime(microseconds)
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), date_format(at, "j M Y, H:i:s"))


def link(view: str, text: object, *arguments: object, query: str = "") -> SafeString:
    """A link within the admin."""
    return format_html('<a href="{}{}">{}</a>', reverse(f"admin:{view}", args=arguments), query, shorten(text))


def shorten(text: object) -> str:
    """At most LONGEST characters; the whole stands on the row's own page."""
    return Truncator(str(text)).chars(LONGEST)


def count_text(number: int, one: str, many: str = "") -> str:
    """ "1 token", "2 tokens"."""
    return f"{number} {one if number == 1 else many or one + 's'}"
