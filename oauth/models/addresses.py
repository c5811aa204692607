"""Where authorizations were used beside the address that they belong to."""

from django.db import models

from oauth.models.authorizations import Authorization


class AddressChange(models.Model):
    """Another address at which an authorization turned up, and when that was last written down (PR-06)."""

    authorization = models.ForeignKey(Authorization, models.CASCADE, related_name="address_changes")
    address = models.TextField(help_text="of IPv6 the network")
    noted_at = models.BigIntegerField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["authorization", "address"], name="one_change_an_address")]
