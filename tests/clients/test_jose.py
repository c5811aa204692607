"""The verifier that most servers in node use, jose, against every token of the catalogue: one process for all."""

import json
import subprocess
from typing import Any

import pytest

from oauth.workbench.minting.other_tokens import OTHER_TOKENS
from smartauth_probe.catalogue import kinds
from tests.npm import install
from tests.oauth.workbench.minting.test_every_kind import ENDED, FOOLED_READERS, token_of
from tests.oauth.workbench.minting.test_mint import FOOLED, issuer
from tests.oauth.workbench.minting.verifier import Verifier
from tests.running import ROOT

pytestmark = pytest.mark.clients
# JSON.parse takes the last of two members and any depth; what our own key has signed is genuine for every verifier, and
# that a token was ended is known to who introspects
OTHERWISE = {
    **dict.fromkeys(ENDED - {"address-blocked"}, 200),
    "claims-doubled": 404,
    "claims-doubled-scope": 200,
    "claims-deep": 200,
    "claims-deep-short": 200,
    "resigned-by-us": 200,
}


@pytest.fixture(scope="module")
def verified() -> dict[str, Any]:
    """The claims that node takes for true, by kind. Tokens live five minutes, which others may install for."""
    place = install(ROOT / "tests/clients/openid-client")
    good = {kind.name for kind in kinds().values() if kind.is_good}
    names = sorted({*FOOLED, *OTHERWISE, *OTHER_TOKENS, *good})
    tokens = {name: token_of(kinds()[name]) for name in names if kinds()[name].fools.jwt_verifiers or name in good}
    known = issuer()
    told = {"issuer": known.name, "base": known.base, "jwks": known.jwks, "tokens": tokens}
    done = subprocess.run(
        ["node", "bad_tokens.mjs"], cwd=place, input=json.dumps(told), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_server_in_node_refuses_what_is_bad_and_lets_the_good_twins_in(verified: dict[str, Any]) -> None:
    server = Verifier(issuer())
    statuses = {name: 401 if claims is None else server.decision(claims) for name, claims in verified.items()}

    assert {name: statuses[name] for name in OTHERWISE} == OTHERWISE
    assert {kind.name for kind in kinds().values() if kind.fools.jwt_verifiers} - set(statuses) == set(FOOLED_READERS)
    assert [
        (name, status)
        for name, status in statuses.items()
        if name not in OTHERWISE and not kinds()[name].answer.is_met_by(status)
    ] == []
