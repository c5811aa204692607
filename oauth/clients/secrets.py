"""Secrets of clients: drawn here, shown once, kept as a fingerprint, replaced with an overlap (RG-08)."""

import hashlib
import hmac

from django.conf import settings

from oauth.models import Client
from smart.digests import random_token
from smart.time_units import SECOND


def client_secret_digest(client_id: str, secret: str) -> str:
    """What the database keeps of a client's secret: SHA-256 salted with the id (a secret is 256 bits drawn by us)."""
    return hashlib.sha256(f"{client_id}:{secret}".encode()).hexdigest()


def assign_secret(client: Client) -> str:
    """A first secret. The caller saves the client and shows the secret."""
    secret = random_token()
    client.secret_digest = client_secret_digest(client.client_id, secret)
    return secret


def rotation_number(client: Client) -> str:
    """What a rotation must bring along: it fits the secret of this moment, so that a repeated form rotates nothing."""
    return hashlib.sha256(f"rotate:{client.secret_digest}".encode()).hexdigest()[:32]


def rotate(client: Client, number_: str, *, now: int) -> str:
    """A new secret; the old one works until `old_secret_until`. "" if the number is used or a rotation came between."""
    if not hmac.compare_digest(rotation_number(client).encode(), number_.encode()):
        return ""
    old, secret = client.secret_digest, random_token()
    client.old_secret_digest, client.secret_digest = old, client_secret_digest(client.client_id, secret)
    client.old_secret_until = now + settings.SMARTAUTH_OLD_SECRET_SECONDS * SECOND
    won = Client.objects.filter(pk=client.pk, secret_digest=old).update(
        secret_digest=client.secret_digest,
        old_secret_digest=client.old_secret_digest,
        old_secret_until=client.old_secret_until,
    )
    return secret if won else ""
