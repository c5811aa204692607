"""Why an introspection answers {"active":false}, for who develops: the answer itself never tells (IN-06)."""

import json

from introspection.address_binding import Use
from introspection.token_lookup import LookupRow
from oauth.explain.first_cause import first_cause, token_with_cause
from smart.explanation import Explanation
from smart.tokens.liveness import ISSUED


def not_its_token(found: LookupRow, caller: str) -> Explanation:
    """It lives, or not: the caller is told nothing of the tokens of other FHIR servers."""
    base = json.loads(found.claims).get("aud", "")
    what = "the caller is no resource server of the FHIR server that the token is for"
    return Explanation("IN-07", what, presented=caller, expected=f"a resource server of {base}", case="E107")


def dead(found: LookupRow, now: int) -> Explanation:
    """By what ended it first, and since when."""
    token = token_with_cause(now=now, pk=found.token)
    cause = first_cause(token) if token else None
    return cause or Explanation(ISSUED.rule, ISSUED.broken, case="E107")


def another_address(use: Use) -> Explanation:
    """It lives, but may not be used from there."""
    what = f"it was used from another address, and the policy is {use.policy}"
    return Explanation("PR-06", what, presented=use.address, expected=use.found.use_address or "", case="E107")
