"""Making a token of any kind from a good one (docs/specification/bad-tokens.md): pure, nothing is written."""

import secrets
from collections.abc import Mapping
from typing import NamedTuple

from oauth.workbench.minting import backend_kinds, bad_content, bad_headers, bad_signatures
from oauth.workbench.minting.good_token import CannotMint, Claims, Forge, GoodToken, sign
from smart.digests import random_token
from smartauth_probe.bad_claims import CHANGES
from smartauth_probe.kinds import Kind

FORGERIES: Mapping[str, Forge] = {**bad_signatures.FORGERIES, **bad_headers.FORGERIES, **bad_content.FORGERIES}
# the attacker of these starts from a token that somebody really has
COPIES = ("foreign-key", "payload-changed", "resigned-by-us")
LONG = 20_000


class Minted(NamedTuple):
    """A token, and what introspection says of it: None where this server never issued it.

    `original` is the good token that the attacker had, "" where they had none; this server issued that one.
    """

    token: str
    answer: Claims | None
    original: str = ""


def mint(kind: Kind, good: GoodToken) -> Minted:
    """A token of that kind. Raises CannotMint; kinds that are about what else happened give the good token itself."""
    if kind.name in CHANGES:
        return _mint_changed_claims(kind, good)
    if kind.name in FORGERIES:
        return _forge(kind, good)
    if kind.name == "noise":
        return Minted(secrets.token_urlsafe(len(good.token))[: len(good.token)], None)
    if kind.name == "long":
        return Minted(secrets.token_urlsafe(LONG)[:LONG], None)
    return Minted(good.token, good.answer)


def _mint_changed_claims(kind: Kind, good: GoodToken) -> Minted:
    """Other claims in the token; and in the answer where a server that introspects is at risk, or is to let it in."""
    change = backend_kinds.with_system_scopes(good, CHANGES[kind.name])
    is_issued = kind.fools.introspection or kind.is_good
    if not is_issued and good.keys is None:
        raise CannotMint("an opaque token has no claims of its own")
    token = sign(change(good.claims, good), good.keys.own) if good.keys else random_token()
    return Minted(token, change(good.answer, good) if is_issued else None)


def _forge(kind: Kind, good: GoodToken) -> Minted:
    if good.keys is None:
        raise CannotMint("an opaque token has no header, claims and signature")
    token = FORGERIES[kind.name](good, good.keys)
    if kind.is_good:
        return Minted(token, good.answer)
    is_copy = kind.name in COPIES or kind.name.startswith("signature-")
    return Minted(token, None, good.token if is_copy else "")
