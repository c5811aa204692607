"""Whether a narrative is safe to show: XHTML of the kind that FHIR allows (FHIR narrative; txt-1).

It is refused, not cleaned, so that what is stored stays what was sent. Two readers must agree on it: an XML parser,
which FHIR asks for, and the HTML parser of a browser, which nh3 has.
"""

import re
from html.entities import name2codepoint
from xml.etree import ElementTree

import nh3

XHTML = "{http://www.w3.org/1999/xhtml}"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
MAX_CHARACTERS = 262_144
TAGS = {
    *(
        "a",
        "abbr",
        "acronym",
        "b",
        "big",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "dfn",
    ),
    *("div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "q"),
    *("samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt"),
    *("ul", "var", "dfn"),
}
ATTRIBUTES = {
    "*": {"class", "id", "lang", "dir", "title", LANGUAGE},
    "a": {"href", "name"},
    "img": {"src", "alt", "height", "width"},
    "td": {"colspan", "rowspan", "align", "valign"},
    "th": {"colspan", "rowspan", "align", "valign", "scope"},
    "ol": {"start", "type"},
    "table": {"border", "summary"},
}
SCHEMES = {"http", "https", "mailto", "tel"}
_ENTITY = re.compile(r"&(\w+);")
_LINK = re.compile(r"(?:#|(?:https?|mailto|tel):)[^\s]*", re.IGNORECASE)
_XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}


def narrative_problem(div: str) -> str:
    """Why it cannot be stored, or nothing."""
    if len(div) > MAX_CHARACTERS:
        return f"A narrative has at most {MAX_CHARACTERS} characters."
    if "<!" in div or "<?" in div:
        return "A narrative holds no comment, no CDATA, no declaration and no instruction."
    try:
        root = ElementTree.fromstring(_ENTITY.sub(_character, div))  # noqa: S314  # nosec B314: no DTD comes that far
    except ElementTree.ParseError:
        return "A narrative is well-formed XHTML."
    if root.tag != f"{XHTML}div":
        return "A narrative is a div in the namespace of XHTML."
    if unknown := next((reason for element in root.iter() if (reason := _problem(element))), ""):
        return unknown
    is_agreed = _cleaned(div) == _cleaned(_as_html(root))
    return "" if is_agreed else "A browser would read this narrative in another way than XML says."


def _character(match: re.Match[str]) -> str:
    """HTML's names of characters are allowed, XML does not know them."""
    name = match[1]
    return match[0] if name in _XML_ENTITIES or name not in name2codepoint else f"&#{name2codepoint[name]};"


def _problem(element: ElementTree.Element) -> str:
    tag = str(element.tag).removeprefix(XHTML)
    if tag not in TAGS:
        return "A narrative has an element that FHIR does not allow there."
    for name, value in element.attrib.items():
        if name not in ATTRIBUTES["*"] | ATTRIBUTES.get(tag, set()):
            return "A narrative has an attribute that FHIR does not allow there."
        if name in ("href", "src") and not _LINK.fullmatch(value):
            return "A narrative links to #places, http, https, mailto and tel only."
    return ""


def _as_html(root: ElementTree.Element) -> str:
    for element in root.iter():
        element.tag = str(element.tag).removeprefix(XHTML)
        element.attrib.pop(LANGUAGE, None)  # which HTML does not know
    return ElementTree.tostring(root, encoding="unicode", method="html")


def _cleaned(html: str) -> str:
    """What a browser's parser makes of it."""
    return nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel=None)
