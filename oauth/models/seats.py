"""The counters by which newer tokens supersede older ones (PR-01)."""

from django.db import models


class Seat(models.Model):
    """Two counters per supersede key: issuing takes the next number of `latest`, a new launch also of `launches`.

    Access tokens live while their number is among the last N of the one, refresh tokens among the last N of the other.
    """

    key = models.TextField(unique=True)
    latest = models.BigIntegerField()
    launches = models.BigIntegerField(default=0)
