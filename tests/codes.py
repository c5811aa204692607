"""A code that waits to be exchanged, as the consent page leaves it."""

from typing import Any

REDIRECT_URI = "http://127.0.0.1:4999/cb"
VERIFIER = "smartauth-example-verifier-0123456789-abcdefghij"
CHALLENGE = "srPl9FdvyKJNhqOfpI1xknQzvd9WTQojDoIan86nxWU"


def waiting_code(authorization: Any, *, life: int) -> str:
    """A new code of this authorization that lives so many microseconds."""
    from accounts import clock
    from oauth.models import Code
    from smart.digests import random_token, sha256_hex

    code, now = random_token(), clock.now()
    Code.objects.create(
        digest=sha256_hex(code),
        authorization=authorization,
        redirect_uri=REDIRECT_URI,
        code_challenge=CHALLENGE,
        issued_at=now,
        expires_at=now + life,
    )
    return code
