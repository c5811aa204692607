"""Authorization requests that wait for their person."""

from django.conf import settings
from django.db import models

from accounts import clock
from oauth.models.clients import Client
from oauth.models.launches import Launch
from oauth.models.references import public_reference
from oauth.models.servers import FhirServer
from oauth.models.uniqueness import unique_text

COOKIE_GRACE_SECONDS = 3600  # its cookie and row are kept so much longer: a late click is told that it came late


class PendingRequest(models.Model):
    """A judged authorization request that waits for a person. The browser that brought it holds the cookie."""

    handle_digest = models.TextField()
    cookie_digest = models.TextField()
    client = models.ForeignKey(Client, models.CASCADE)
    fhir_server = models.ForeignKey(FhirServer, models.CASCADE)
    request = models.TextField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True)
    patient = models.TextField(default="", blank=True)
    encounter = models.TextField(default="", blank=True)
    launch = models.ForeignKey(Launch, models.CASCADE, null=True)
    created_at = models.BigIntegerField(default=clock.now)
    expires_at = models.BigIntegerField(db_index=True)
    answered_at = models.BigIntegerField(default=0)
    caller_network = models.TextField(default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["caller_network", "expires_at"], name="pending_request_network")]
        constraints = [unique_text("handle_digest", name="one_request_a_handle")]

    def __str__(self) -> str:
        return public_reference(self.pk)
