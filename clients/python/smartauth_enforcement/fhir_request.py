"""A request as it came: what of it smartauth is asked about (RFC 6750 §2.1; FHIR http §3.2.0)."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from smartauth_enforcement.http_answer import MALFORMED_TOKEN, NO_TOKEN, HttpAnswer
from smartauth_enforcement.media_type import FORM, JSON, media_type_in_utf_8

READ, VERSION, HISTORY, SEARCH, CREATE = "read", "vread", "history-instance", "search-type", "create"
COUNT_ALONE = (("_summary", "count"), ("_count", "0"))
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,16000}=*)", re.IGNORECASE)


class Refused(Exception):
    """The request goes no further: `answer` is what the app is told."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class FhirRequest:
    """Method, decoded path below the base, raw query. `authorization`: the value of every such header.

    `if_none_exist`: the criteria of a conditional create, of several headers all. `content_type`: of several headers
    nothing that could be one.
    """

    method: str
    path: str
    query: str = ""
    authorization: tuple[str, ...] = ()
    if_none_exist: str | None = None
    address: str = ""
    content_type: str = ""
    form: str | None = None

    @property
    def url(self) -> str:
        """Relative to the base."""
        return quote(self.path) + (f"?{self.query}" if self.query else "")

    @property
    def segments(self) -> list[str]:
        """The parts of its path."""
        return self.path.strip("/").split("/")

    @property
    def type(self) -> str:
        """The type of the resources that it is about."""
        return self.segments[0]

    @property
    def id(self) -> str:
        """The id that it names, "*" for none."""
        rest = self.segments[1:2]
        return rest[0] if rest and not rest[0].startswith("_") else "*"

    @property
    def is_search_by_post(self) -> bool:
        """Whether its parameters stand in its body (FHIR search, POST _search)."""
        return self.method == "POST" and self.segments[-1] == "_search"

    @property
    def has_form(self) -> bool:
        """Whether its body is a form in UTF-8, the one kind that two servers read alike (FHIR http, POST _search)."""
        return media_type_in_utf_8(self.content_type) == FORM

    @property
    def has_json(self) -> bool:
        """Whether nothing says that its body is anything but JSON in UTF-8, so that a server reads it as JSON.

        The same bytes can be a form, too, and that another resource.
        """
        return not self.content_type or media_type_in_utf_8(self.content_type) in JSON

    @property
    def asks_for_count(self) -> bool:
        """Whether it asks how many there are, and for none of them (FHIR search, _summary and _count)."""
        pairs = parse_qsl("&".join((self.query, self.form or "")), keep_blank_values=True)
        return any(pair in pairs for pair in COUNT_ALONE)

    @property
    def interaction(self) -> str:
        """FHIR's name of what a view can be applied to, "" for anything else."""
        is_get = self.method in ("GET", "HEAD")
        match self.segments[1:]:
            case []:
                return SEARCH if is_get else CREATE if self.method == "POST" else ""
            case ["_search"]:
                return SEARCH if is_get or self.method == "POST" else ""
            case [name] if not name.startswith("_"):
                return READ if is_get else ""
            case [_, "_history"]:
                return HISTORY if is_get else ""
            case [_, "_history", _]:
                return VERSION if is_get else ""
        return ""

    def token(self) -> str:
        """The access token. Raises Refused."""
        shown = ", ".join(self.authorization)
        bearer = _BEARER.fullmatch(shown)
        if bearer is None:
            raise Refused(MALFORMED_TOKEN if shown.lower().startswith("bearer ") else NO_TOKEN)
        return bearer[1]


def path_below(root: str, path: str) -> str | None:
    """The rest of a path below that of the base; None for one that is elsewhere, or that servers read in two ways."""
    if not path.startswith(f"{root}/") or "//" in path or {".", ".."} & set(path.split("/")):
        return None
    return path[len(root) + 1 :]
