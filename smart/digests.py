"""How secrets, codes and tokens are kept: as SHA-256 of what was drawn at random."""

import hashlib
import secrets


def sha256_hex(text: str) -> str:
    """What the database keeps of a code, handle or token."""
    return hashlib.sha256(text.encode()).hexdigest()


def random_token() -> str:
    """256 bits in URL-safe characters (WF-10), and no hyphen first: a command would take it for an option."""
    while (drawn := secrets.token_urlsafe(32)).startswith("-"):
        pass
    return drawn
