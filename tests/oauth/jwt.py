"""What a JWT says, read without asking whether it is true, and whether it is."""

import base64
import json
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet

from tests.conftest import App


def header(token: str) -> dict[str, Any]:
    return _part(token, 0)


def payload(token: str) -> dict[str, Any]:
    return _part(token, 1)


def raw_payload(token: str) -> bytes:
    """The bytes that were signed."""
    middle = token.split(".")[1]
    return base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4))


def verified_claims(app: App, token: str) -> dict[str, Any]:
    """The claims, as a client verifies them: with the key of that kid in the published JWKS."""
    keys = KeySet.import_key_set(app.get("/o/jwks").json())
    key = next(key for key in keys.keys if key.kid == header(token)["kid"])
    found: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"]).claims
    return found


def _part(token: str, place: int) -> dict[str, Any]:
    text = token.split(".")[place]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found
