"""The URL at which an EHR opens an app (SMART App Launch, EHR launch; EL-01)."""

from urllib.parse import parse_qs, urlsplit

from smart.clients.redirect_uris import redirect_uri_problem, url_with_query


def launch_url(registered: str, iss: str, launch: str) -> str:
    """The registered URL with its own query, and what the app needs to begin (EL-01)."""
    return url_with_query(registered, {"iss": iss, "launch": launch})


def launch_url_problem(url: str, *, dev: bool) -> str | None:
    """Why this cannot be a client's launch URL, or None."""
    if problem := redirect_uri_problem(url, native=False, dev=dev):
        return problem
    taken = {"iss", "launch"} & parse_qs(urlsplit(url).query, keep_blank_values=True).keys()
    return "its query has iss or launch already" if taken else None
