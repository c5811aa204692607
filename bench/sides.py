"""What is set beside what: this server and another one, or two things that are asked of this one."""

from typing import NamedTuple

from bench.contenders import ES384, INTROSPECTION, REFRESH, REVOCATION, SECRET, Contender
from bench.decisions import READ, SEARCH

TITLES = {
    INTROSPECTION: "Introspection of an active token",
    SECRET: "client_credentials with a secret",
    ES384: "client_credentials with an ES384 assertion",
    REFRESH: "Refresh",
    REVOCATION: "Revocation of an access token",
    SEARCH: "A decision over a search, answered by a view, beside introspection",
    READ: "A decision over a read, answered by a view, beside introspection",
}
OURS_ALONE = {SEARCH: "decision over a search", READ: "decision over a read"}


class Side(NamedTuple):
    """One of two that take turns: who is asked for what, and its name in the table."""

    name: str
    contender: Contender
    what: str


def sides(what: str, ours: Contender, theirs: Contender) -> tuple[Side, Side]:
    """Both servers for the same; for a decision, which no peer has, this one's introspection is the other side."""
    if what in OURS_ALONE:
        return Side(OURS_ALONE[what], ours, what), Side(TITLES[INTROSPECTION].lower(), ours, INTROSPECTION)
    return Side(ours.name, ours, what), Side(theirs.name, theirs, what)
