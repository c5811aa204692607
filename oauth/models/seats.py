"""The counters by which newer tokens supersede older ones (PR-01)."""

from django.db import models

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
