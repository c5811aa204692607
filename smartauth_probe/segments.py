"""Ids and addresses that a server told, on their way into the path of a request."""

from urllib.parse import quote, unquote

DOTS = frozenset({".", ".."})
DECODED = 4  # times, where something behind a server may decode again


def segment(text: str) -> str:
    """The same text as one segment of a path; an id of FHIR stays as it is."""
    return quote(text, safe="", errors="replace")


def leads_up(path: str) -> bool:
    """Whether some server reads a segment of it as `.` or `..`: encoded, with a parameter, between backslashes."""
    for _ in range(DECODED):
        if any(each.partition(";")[0].strip() in DOTS for each in path.replace("\\", "/").split("/")):
            return True
        path = unquote(path)
    return False
