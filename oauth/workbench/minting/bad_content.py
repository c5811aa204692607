"""Claims that JSON allows and no library writes, and genuine tokens of another kind."""

import json
from collections.abc import Mapping

from oauth.workbench.minting.compact import algorithm, compact
from oauth.workbench.minting.good_token import Claims, Forge, GoodToken, Keys, sign

DEEP, DEEP_IN_A_HEADER = 10_000, 1_500


def _doubled_patient(good: GoodToken, keys: Keys) -> str:
    second = json.dumps({"patient": good.other_patient})
    return sign(f"{json.dumps(dict(good.claims))[:-1]}, {second[1:]}", keys.own)


def _doubled_scope(good: GoodToken, keys: Keys) -> str:
    return sign(f'{{"scope": "openid", {json.dumps(dict(good.claims))[1:]}', keys.own)


def _deep(depth: int) -> Forge:
    def forge(good: GoodToken, keys: Keys) -> str:
        return sign(f'{json.dumps(dict(good.claims))[:-1]}, "deep": {"[" * depth}{"]" * depth}}}', keys.own)

    return forge


def _id_token(good: GoodToken, keys: Keys) -> str:
    about = ("iss", "sub", "iat", "exp", "fhirUser")
    claims = {name: value for name, value in good.claims.items() if name in about}
    id_header = {"alg": algorithm(keys.id_token), "typ": "JWT", "kid": keys.id_token.kid}
    return compact(id_header, {**claims, "aud": good.claims["client_id"]}, keys.id_token)


def _client_assertion(good: GoodToken, keys: Keys) -> str:
    client, audience = good.claims["client_id"], f"{good.issuer}/o/token"
    times: Claims = {name: good.claims[name] for name in ("iat", "exp", "jti")}
    assertion_header = {"alg": algorithm(keys.foreign), "typ": "JWT", "kid": keys.foreign.kid}
    return compact(assertion_header, {"iss": client, "sub": client, "aud": audience, **times}, keys.foreign)


FORGERIES: Mapping[str, Forge] = {
    "claims-doubled": _doubled_patient,
    "claims-doubled-scope": _doubled_scope,
    "claims-deep": _deep(DEEP),
    "claims-deep-short": _deep(DEEP_IN_A_HEADER),
    "id-token": _id_token,
    "client-assertion": _client_assertion,
}
