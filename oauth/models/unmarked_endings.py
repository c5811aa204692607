"""What is still to be written down of an ending that is over."""

from django.db import models

from oauth.models.clients import Client
from oauth.models.servers import FhirServer


class UnmarkedEnding(models.Model):
    """All access under one epoch of a client or a FHIR server has ended, and not all its rows say so yet.

    Nothing of it lives: the epoch is another one. The row goes when every authorization keeps when and why it ended.
    """

    client = models.ForeignKey(Client, models.CASCADE, null=True)
    fhir_server = models.ForeignKey(FhirServer, models.CASCADE, null=True)
    epoch = models.BigIntegerField()
    ended_at = models.BigIntegerField()
    reason = models.TextField()
