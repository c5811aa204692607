"""What a person reads where no redirect is safe, one row for each case (RFC 6749 §4.1.2.1, AZ-06)."""

from http import HTTPStatus
from typing import NamedTuple

from smart.explanation import Explanation, Why, build_explanation


class ErrorPage(NamedTuple):
    """`message` may name the app; `fix` is for its developer, empty where they can do nothing."""

    rule: str
    message: str
    fix: str
    status: HTTPStatus = HTTPStatus.BAD_REQUEST


_NOT_ON_ITS_LIST = (
    "{app} asked us to send you back to an address that is not on its list. That can be a mistake in the app, "
    "or somebody trying to take your data, so we did not send you there."
)
_REGISTER_IT = (
    "Send a redirect_uri that is exactly one of those registered. Case, port, path and a final slash all count."
)
_FORM = "POST as application/x-www-form-urlencoded; up to 8 kB as GET, 64 kB as POST; state up to 2048 characters."
_FORM_OR_LENGTH = "The app's request has a form or length that we do not accept."

ERROR_PAGES: dict[str, ErrorPage] = {
    "E1": ErrorPage(
        "AZ-06",
        "This server does not know the app that sent you here.",
        "Send the client_id that this server's operator gave you; ask whether the client is enabled.",
    ),
    "E2": ErrorPage("AZ-04", "The app's request contradicts itself.", "Send client_id and redirect_uri exactly once."),
    "E3": ErrorPage(
        "AZ-03",
        "The app did not say where to send you back.",
        "Always send redirect_uri, also if only one is registered.",
    ),
    "E4": ErrorPage("AZ-05", _NOT_ON_ITS_LIST, _REGISTER_IT),
    "E7": ErrorPage("AZ-05", _NOT_ON_ITS_LIST, _REGISTER_IT),
    "E10": ErrorPage(
        "AZ-06", _NOT_ON_ITS_LIST, "This client may not use the authorization code grant: it has no redirect_uri."
    ),
    "E30": ErrorPage("AZ-20", "The page sent a choice that was not offered.", "", HTTPStatus.FORBIDDEN),
    "E35": ErrorPage(
        "AZ-06",
        "This request is unknown, used or too old.",
        "invalid_request_uri: this server takes no pushed requests (RFC 9126). Send every parameter to this address.",
    ),
    "E37": ErrorPage("AZ-02", _FORM_OR_LENGTH, _FORM, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    "E39": ErrorPage("AZ-24", _FORM_OR_LENGTH, _FORM, HTTPStatus.REQUEST_URI_TOO_LONG),
    "E40": ErrorPage("AZ-20", "This page waited too long, or was opened in two places.", "", HTTPStatus.FORBIDDEN),
}


class Unredirectable(Exception):
    """A refusal that only a page may tell, because nobody trustworthy waits at the other end (RFC 6749 §4.1.2.1)."""

    def __init__(self, case: str, what: str = "", *, presented: str = "", expected: str = "") -> None:
        super().__init__(f"{case}: {what}" if what else case)
        self.case = case
        self.what = what
        self.presented, self.expected = presented, expected
        self.rule, self._message, self.fix, self.status = ERROR_PAGES[case]

    @property
    def explanation(self) -> Explanation:
        """Which rule refused, for developers and operators."""
        what = self.what or self._message.replace("{app}", "the app")
        shown: Why = {"presented": self.presented, "expected": self.expected}
        return build_explanation(what, {"rule": self.rule, "case": self.case, **shown})

    def message(self, app: str = "") -> str:
        """What the person is told, with the name of the app if it is known."""
        return self._message.replace("{app}", app or "The app")
