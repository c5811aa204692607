"""Other addresses than the one that an authorization belongs to: where it turned up, and where it was blocked."""

from django.conf import settings
from django.db import models

from oauth.models.authorizations import Authorization
from oauth.models.clients import Client


class AddressChange(models.Model):
    """Another address at which an authorization turned up, and when that was last written down (PR-06)."""

    authorization = models.ForeignKey(Authorization, models.CASCADE, related_name="address_changes")
    address = models.TextField(help_text="of IPv6 the network")
    noted_at = models.BigIntegerField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["authorization", "address"], name="one_change_an_address")]


class AddressBlock(models.Model):
    """A token was blocked at another address: before this client gets the next one, the person logs in anew (SD-06)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="address_blocks")
    client = models.ForeignKey(Client, models.CASCADE)
    address = models.TextField()
    blocked_at = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "client"], name="one_block_a_person_and_client")]
