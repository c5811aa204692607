"""What is set beside what: this server and its peers, or two things that are asked of this one."""

from typing import NamedTuple

from bench import introspections, peers
from bench.contenders import ES384, INTROSPECTION, OPAQUE, REFRESH, REVOCATION, SECRET, SIGNED, Contender
from bench.decisions import READ, SEARCH
from bench.exchange import EXCHANGE

TITLES = {
    INTROSPECTION: "Introspection of an active token",
    introspections.INACTIVE: "Introspection of a token that has ended",
    introspections.TAMPERED: "Introspection of a token that was changed",
    introspections.BY_ASSERTION: "Introspection by an ES384 assertion, of an active token",
    introspections.BY_TOKEN: "Introspection by an access token, of an active token, beside that by a secret",
    SECRET: "client_credentials with a secret",
    SIGNED: "client_credentials with a secret, a signed token from either",
    OPAQUE: "client_credentials with a secret, an opaque token from either",
    ES384: "client_credentials with an ES384 assertion",
    EXCHANGE: "Code exchange, with a proof key, a secret and a refresh token",
    REFRESH: "Refresh",
    REVOCATION: "Revocation of an access token",
    SEARCH: "A decision over a search, answered by a view, beside introspection",
    READ: "A decision over a read, answered by a view, beside introspection",
}
OURS_ALONE = {
    SEARCH: "decision over a search",
    READ: "decision over a read",
    introspections.BY_TOKEN: "introspection by an access token",
}


class Side(NamedTuple):
    """One of those that take turns: who is asked for what, and its name in the table."""

    name: str
    contender: Contender
    what: str


def sides(what: str, ours: Contender, theirs: dict[str, Contender]) -> list[Side]:
    """All servers for the same; for what no peer has this one's introspection is the other side."""
    if what in OURS_ALONE:
        return [Side(OURS_ALONE[what], ours, what), Side(TITLES[INTROSPECTION].lower(), ours, INTROSPECTION)]
    asked = [ours, *(contender for peer, contender in theirs.items() if peers.has(peer, what))]
    return [Side(contender.name, contender, what) for contender in asked]
