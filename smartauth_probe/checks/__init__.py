"""The checks, a file for each part of the specification."""

from functools import cache

from smartauth_probe.checks import bad_tokens, compartment, existence, history, letters, requests, search
from smartauth_probe.checks.check import Check, Section


@cache
def sections() -> tuple[Section, ...]:
    """All of them, in the order in which they are made and reported."""
    return (
        bad_tokens.SECTION,
        requests.SECTION,
        letters.SECTION,
        compartment.SECTION,
        search.SECTION,
        history.SECTION,
        existence.SECTION,
    )


def all_checks() -> tuple[Check, ...]:
    return tuple(check for section in sections() for check in section.checks)
