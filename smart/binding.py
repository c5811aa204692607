"""Whether a token may move to another address (section 14): the stricter policy of FhirServer and client holds."""

from smart.addresses import same

OFF, FLAG, BLOCK, END = "off", "flag", "block", "end"
STOPS = (BLOCK, END)
_STRICTNESS = (OFF, FLAG, BLOCK, END)


def stricter(*policies: str) -> str:
    """The strictest of them; "" sets nothing."""
    return max((policy for policy in policies if policy), key=_STRICTNESS.index, default=OFF)


def moved(bound: str, address: str) -> bool:
    """Whether a later address differs from the one a token is bound to; an unknown address proves nothing (PR-04)."""
    return bool(bound and address) and not same(bound, address)
