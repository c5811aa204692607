"""Address binding, the decision (PR-03): the stricter policy of FHIR server and client holds.

At a refresh `oauth.tokens.address_binding` asks it and does what follows, at a use `introspection.address_binding`.
"""

from functools import cache

from smart.http.addresses import DEFAULT_PREFIXES, PrefixLengths, is_same_address

OFF, FLAG, BLOCK, END = "off", "flag", "block", "end"
BLOCKING = (BLOCK, END)
_STRICTNESS = (OFF, FLAG, BLOCK, END)


@cache  # the policies are four words, which no stranger chooses
def strictest_policy(*policies: str) -> str:
    """The strictest of them; "" sets nothing."""
    return max((policy for policy in policies if policy), key=_STRICTNESS.index, default=OFF)


def differs(bound: str, address: str, prefixes: PrefixLengths = DEFAULT_PREFIXES) -> bool:
    """Whether a later address differs from the one a token is bound to; an unknown address proves nothing (PR-04)."""
    return bool(bound and address) and not is_same_address(bound, address, prefixes)


def policy_for_use(policy: str, bound: str, address: str, prefixes: PrefixLengths = DEFAULT_PREFIXES) -> str:
    """What a use at this address meets: the policy if it has moved, else OFF (PR-06)."""
    return policy if differs(bound, address, prefixes) else OFF


def login_needed_after(*, login_after: int, blocked_at: int, asked_at: int) -> int:
    """Only a login newer than this may allow anything (SD-06).

    After a block it is one made since then or for this very request, so that further blocks meanwhile keep nobody out.
    """
    return max(login_after, min(blocked_at, asked_at))
