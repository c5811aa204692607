"""The keys that bad tokens are signed with: this server's own, and some that only the workbench has.

Those of this process live as long as it does; nothing of them is written but the public half of what was published.
"""

import json
import secrets
from functools import cache

from joserfc.jwk import ECKey, KeyParameters, RSAKey

from oauth.keys import signing_keys
from oauth.keys.signing_keys import Key
from oauth.models import SigningKey
from oauth.tokens.authorization_state import AuthorizationState
from oauth.workbench.minting.compact import algorithm
from oauth.workbench.minting.good_token import Keys
from smart.openid import standard_claims


def keys_of(authorization: AuthorizationState) -> Keys:
    """The keys for tokens of this authorization's FHIR server. Raises UnreadableKey."""
    signing = authorization.signing_algorithm
    return Keys(
        own=_active(signing),
        id_token=_active(standard_claims.ALGORITHM),
        previous=_stand_in(signing, "previous"),
        withdrawn=_stand_in(signing, "withdrawn"),
        foreign=_stand_in(signing, "foreign"),
    )


def publish_previous(key: Key, *, now: int) -> None:
    """It has signed until now, and is still in the JWKS."""
    _remember(key, now=now, withdrawn_at=0)


def withdraw(key: Key, *, now: int) -> None:
    """It was withdrawn just now."""
    _remember(key, now=now, withdrawn_at=now)


def _active(signing: str) -> Key:
    row = SigningKey.objects.get(algorithm=signing, state=SigningKey.State.ACTIVE)
    return signing_keys.private_key(row.kid, row.private_encrypted)


@cache
def _stand_in(signing: str, role: str) -> Key:
    about: KeyParameters = {"kid": f"{role}-{secrets.token_hex(8)}", "use": "sig", "alg": signing}
    return ECKey.generate_key("P-256", about) if signing == "ES256" else RSAKey.generate_key(2048, about)


def _remember(key: Key, *, now: int, withdrawn_at: int) -> None:
    """Its public half, as a key that signs no more."""
    retired = {"state": SigningKey.State.RETIRED, "retired_at": now, "withdrawn_at": withdrawn_at}
    SigningKey.objects.update_or_create(
        kid=key.kid,
        defaults=retired,
        create_defaults={
            **retired,
            "algorithm": algorithm(key),
            "public_jwk": json.dumps(key.as_dict(private=False)),
            "private_encrypted": "",
            "created_at": now,
        },
    )
