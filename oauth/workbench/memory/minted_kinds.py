"""Of which kind the bad tokens are that were minted here: in memory, by their digests."""

from oauth.workbench.memory.recent import Recent
from smart.digests import sha256_hex

MOST = 2000
MINTED_KIND = "minted_kind"  # beside the claims of an order

_by_digest: Recent[str, str] = Recent(MOST)


def remember_kind(token: str, kind: str) -> None:
    _by_digest.put(sha256_hex(token), kind)


def kind_of(digest: str) -> str:
    """The kind of the token with that digest, "" where this process minted none."""
    return _by_digest.get(digest) or ""
