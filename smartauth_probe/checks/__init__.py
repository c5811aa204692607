"""The checks, a file for each part of the specification."""

from functools import cache

from smartauth_probe.checks import (
    bad_tokens,
    batch,
    bulk,
    compartment,
    existence,
    granular_records,
    history_changes,
    letters,
    operations,
    requests,
    search,
    users,
    versions,
    whole_run,
    writes,
)
from smartauth_probe.checks.check import Check, Section


@cache
def sections() -> tuple[Section, ...]:
    """All of them, in the order in which they are made and reported."""
    modules = (
        bad_tokens,
        requests,
        letters,
        versions,
        granular_records,
        compartment,
        search,
        history_changes,
        writes,
        batch,
        operations,
        users,
        bulk,
        existence,
        whole_run,
    )
    return tuple(module.SECTION for module in modules)


def all_checks() -> tuple[Check, ...]:
    return tuple(check for section in sections() for check in section.checks)
