"""How often resource servers refused somebody (SD-05)."""

from django.conf import settings
from django.db import models

from oauth.models.clients import Client
from oauth.models.servers import FhirServer


class RefusalCount(models.Model):
    """Refused requests that resource servers reported of one person, client and FHIR server within a window (SD-05)."""

    client = models.ForeignKey(Client, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True)
    fhir_server = models.ForeignKey(FhirServer, models.CASCADE)
    key = models.TextField(unique=True, help_text="client|user|FHIR server, the user 0 for a backend service")
    count = models.BigIntegerField(default=0)
    window_ends_at = models.BigIntegerField(db_index=True)
