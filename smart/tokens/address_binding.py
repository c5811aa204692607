"""Whether a token may move to another address (section 14): the stricter policy of FhirServer and client holds."""

from smart.http.addresses import DEFAULT, Prefixes, same

OFF, FLAG, BLOCK, END = "off", "flag", "block", "end"
STOPS = (BLOCK, END)
_STRICTNESS = (OFF, FLAG, BLOCK, END)


def stricter(*policies: str) -> str:
    """The strictest of them; "" sets nothing."""
    return max((policy for policy in policies if policy), key=_STRICTNESS.index, default=OFF)


def moved(bound: str, address: str, prefixes: Prefixes = DEFAULT) -> bool:
    """Whether a later address differs from the one a token is bound to; an unknown address proves nothing (PR-04)."""
    return bool(bound and address) and not same(bound, address, prefixes)


def met(policy: str, bound: str, address: str, prefixes: Prefixes = DEFAULT) -> str:
    """What a use at this address meets: the policy if it has moved, else OFF (PR-06)."""
    return policy if moved(bound, address, prefixes) else OFF


def login_needed_after(*, login_after: int, blocked_at: int, asked_at: int) -> int:
    """Only a login newer than this may allow anything (SD-06).

    After a block it is one made since then or for this very request, so that further blocks meanwhile keep nobody out.
    """
    return max(login_after, min(blocked_at, asked_at))
