"""Markdown of the docs as HTML of our own: what is HTML in it is shown as text, and nothing has a style of its own."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

COMMENT = re.compile(r"^<!--.*?-->\n", re.M | re.S)
# the two pieces of HTML that the docs have inside a line: a place to link to, and a new line in a cell of a table
_OWN_HTML = re.compile(r'(?P<anchor><a id="(?P<id>[a-z0-9-]+)"></a>)|<br>')

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


def render_markdown(text: str, address: Callable[[str], str]) -> SafeString:
    """The text as HTML. `address` says where a link or picture leads to here, "" for what is text alone."""
    tokens = _markdown.parse(COMMENT.sub("", text))
    headings = dict[str, int]()
    for at, token in enumerate(tokens):
        token.attrs.pop("style", None)  # of a column that is aligned: no style stands in a page (CSP)
        if token.type == "heading_open":
            token.attrSet("id", _heading_id(tokens[at + 1].content, headings))
        if token.children:
            token.children = [*_with_own_html(_with_addresses(token.children, address))]
    made: str = _markdown.renderer.render([*_in_frames(tokens)], _markdown.options, {})
    return mark_safe(made)  # noqa: S308  # what was sent to it is escaped, see above


def _with_addresses(children: Sequence[Token], address: Callable[[str], str]) -> Iterator[Token]:
    """Links and pictures that lead somewhere; of the others the text."""
    open_link = False
    for token in children:
        if token.type == "link_open":
            to = address(str(token.attrGet("href")))
            open_link = bool(to)
            token.attrSet("href", to)
        if token.type == "image":
            to = address(str(token.attrGet("src")))
            token.attrSet("src", to)
            token.attrSet("loading", "lazy")
            if not to:
                token = Token("text", "", 0, content=token.content)
        if open_link or not token.type.startswith("link_"):
            yield token


def _with_own_html(children: Iterator[Token]) -> Iterator[Token]:
    return chain.from_iterable(_parts(token) if token.type == "text" else (token,) for token in children)


def _parts(token: Token) -> Iterator[Token]:
    place = 0
    for found in _OWN_HTML.finditer(token.content):
        yield Token("text", "", 0, content=token.content[place : found.start()])
        made = format_html('<span id="{}"></span>', found["id"]) if found["anchor"] else "<br>"
        yield Token("html_inline", "", 0, content=made)
        place = found.end()
    yield Token("text", "", 0, content=token.content[place:])


def _in_frames(tokens: Sequence[Token]) -> Iterator[Token]:
    """Wide tables scroll by themselves, also by keyboard."""
    for token in tokens:
        if token.type == "table_open":
            yield Token(
                "html_block", "", 0, content='<div class="scroll" tabindex="0" role="region" aria-label="Table">'
            )
        yield token
        if token.type == "table_close":
            yield Token("html_block", "", 0, content="</div>")


def _heading_id(text: str, taken: dict[str, int]) -> str:
    """As GitHub names it, so that links within the docs lead on."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).lower()
    name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
    taken[name] = taken.get(name, -1) + 1
    return f"{name}-{taken[name]}" if taken[name] else name
