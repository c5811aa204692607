"""For every kind of the catalogue and every sort of server at risk, one that is broken on purpose lets it in.

`test_minting.py` has those that verify JWTs; here is what these cannot see, and what a server that introspects does.
"""

import pytest

from oauth.workbench.minting.other_tokens import OTHER_TOKENS
from smart.digests import random_token
from smartauth_probe.catalogue import kinds
from smartauth_probe.kinds import Kind
from smartauth_probe.requests import PRESENTATIONS, presentation
from tests.oauth.workbench.minting import broken_readers as readers
from tests.oauth.workbench.minting import broken_verifiers as broken
from tests.oauth.workbench.minting.broken_readers import Reader
from tests.oauth.workbench.minting.test_mint import FOOLED, GENUINE, issuer, minted, named
from tests.oauth.workbench.minting.verifier import Verifier

pytestmark = pytest.mark.one_engine
READERS: dict[type[Reader], str] = {
    readers.OpenToAll: "no-token",
    readers.FromQuery: "in-query",
    readers.FromForm: "in-body",
    readers.FromCookie: "cookie",
    readers.FirstHeader: "two-headers",
    readers.FirstToken: "two-tokens",
    readers.AnyScheme: "scheme-basic scheme-none",
    readers.Cleans: "bytes bytes-folded bytes-non-ascii bytes-invalid-utf8 bytes-blank",
}
FOOLED_READERS = {name: reader for reader, names in READERS.items() for name in names.split()}
# the token is right in itself: only who asks at each request, and tells the address, knows what else happened
ENDED = {kind.name for kind in kinds().values() if kind.group == "Ended"}
BAD = [kind for kind in kinds().values() if not kind.is_good]


def token_of(kind: Kind) -> str:
    """Those of `other_tokens` are random texts that a table knows."""
    return random_token() if kind.name in OTHER_TOKENS else minted(kind.name).token


def broken_verifier_of(kind: Kind) -> type[Verifier]:
    """One that verifies JWTs itself; of those that are ended or re-signed with our key, the right one never hears."""
    if kind.name in OTHER_TOKENS:
        return broken.OnlyJwts
    return Verifier if kind.name in ENDED | {GENUINE} else FOOLED[kind.name]


def broken_asker_of(kind: Kind) -> type[Verifier]:
    """One that introspects; of a token that ended, the right one that keeps an answer never hears."""
    if kind.name in ENDED:
        return Verifier
    if kind.name in OTHER_TOKENS or minted(kind.name).answer is None:
        return broken.StatusOnly
    return broken.ActiveOnly if kind.name == "userinfo-token" else FOOLED[kind.name]


@pytest.mark.parametrize("kind", [kind for kind in BAD if kind.name not in FOOLED_READERS], ids=named)
def test_a_bad_token_fools_a_broken_server_of_each_sort_at_risk(kind: Kind) -> None:
    answer = None if kind.name in OTHER_TOKENS else minted(kind.name).answer

    if kind.fools.jwt_verifiers:
        assert not kind.answer.is_met_by(broken_verifier_of(kind)(issuer()).status(token_of(kind)))
    if kind.fools.introspection:
        assert not kind.answer.is_met_by(broken_asker_of(kind)(issuer()).status_of_answer(answer))


@pytest.mark.parametrize("name", FOOLED_READERS)
def test_a_right_token_that_is_shown_wrongly_fools_a_broken_reader_and_no_right_one(name: str) -> None:
    kind, verifier = kinds()[name], Verifier(issuer())
    request = presentation(name, minted(name).token, "amy")

    assert Reader(verifier).status(request) == 401
    assert kind.answer.is_met_by(401)
    assert FOOLED_READERS[name](verifier).status(request) == 200


@pytest.mark.parametrize("kind", [kind for kind in kinds().values() if kind.is_good], ids=named)
def test_a_good_twin_passes_the_right_reader(kind: Kind) -> None:
    assert Reader(Verifier(issuer())).status(presentation(kind.name, minted(kind.name).token, "amy")) == 200


@pytest.mark.parametrize("kind", [kinds()[name] for name in OTHER_TOKENS], ids=named)
def test_another_kind_of_token_is_nothing_to_a_right_server(kind: Kind) -> None:
    assert Verifier(issuer()).status(token_of(kind)) == 401


def test_whatever_is_shown_in_another_manner_has_a_reader_that_it_fools() -> None:
    good = {kind.name for kind in kinds().values() if kind.is_good}

    assert set(PRESENTATIONS) - good == set(FOOLED_READERS)
