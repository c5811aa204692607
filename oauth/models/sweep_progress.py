"""How far a sweep has come that goes through rows by time."""

from django.db import models


class SweepProgress(models.Model):
    """Until which moment a part of the sweep has done its work on all rows. It goes on from there."""

    part = models.TextField(primary_key=True)
    until = models.BigIntegerField()
