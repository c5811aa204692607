"""A token that ends while it is used: what a server that keeps answers is told."""

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Outcome
from smartauth_probe.runner import make
from tests.smartauth_probe.checks.test_every_check import probe_of

pytestmark = pytest.mark.one_engine
(REVOKED,) = (check for check in all_checks() if check.name == "revoked-after-use")


@pytest.mark.requirement("TV-05", "TV-16")
@pytest.mark.parametrize(("faults", "outcome"), [((), Outcome.PASSED), (("answers-kept",), Outcome.POLICY)])
def test_an_answer_that_is_kept_is_reported_as_a_matter_of_policy(faults: tuple[str, ...], outcome: Outcome) -> None:
    assert make(probe_of(*faults), REVOKED).result.outcome is outcome
