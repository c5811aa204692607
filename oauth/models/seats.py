"""The counters by which newer tokens supersede older ones (PR-01)."""

from django.db import models

from oauth.models.clients import Client
from oauth.models.uniqueness import unique_text


class Seat(models.Model):
    """Two counters per supersede key: a new token takes the next `latest_number`, a new launch also a `latest_launch`.

    Access tokens live while their number is among the last N of the one, refresh tokens among the last N of the other.
    """

    key = models.TextField()
    latest_number = models.BigIntegerField(db_column="latest")
    latest_launch = models.BigIntegerField(default=0, db_column="launches")

    class Meta:
        constraints = [unique_text("key", name="one_seat_a_key")]


def key_of_grant(authorization: int) -> str:
    """The key of the seat that the tokens of one authorization have for themselves."""
    return f"{Client.Supersede.GRANT.value}|{authorization}"
