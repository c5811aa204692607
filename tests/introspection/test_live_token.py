"""A token about which nothing is told, and why: that is worked out where it will be read, and nowhere else."""

import asyncio
from typing import Any

import pytest

from introspection.live_token import Inactive
from introspection.tampering import UNKNOWN
from smart.explanation import Explanation


@pytest.mark.requirement("IN-06")
@pytest.mark.parametrize("dev", [True, False])
def test_why_a_token_is_inactive_is_worked_out_in_development_alone(settings: Any, dev: bool) -> None:
    settings.SMARTAUTH_DEV = dev
    worked_out = []

    def work_out() -> Explanation:
        worked_out.append(UNKNOWN)
        return UNKNOWN

    told = asyncio.run(Inactive(work_out).explanation())

    assert (told, worked_out) == ((UNKNOWN, [UNKNOWN]) if dev else (None, []))
