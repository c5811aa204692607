"""EHR launches that wait for their app (SMART App Launch, EHR launch)."""

from django.conf import settings
from django.db import models

from accounts import clock
from oauth.models.clients import Client
from oauth.models.references import public_reference
from oauth.models.servers import FhirServer
from oauth.models.uniqueness import unique_text


class Launch(models.Model):
    """A single-use EHR launch handle with its context (EL-02), kept by its digest.

    `patient_vouched` is 1 when the EHR that holds the records says that its user sees this patient.
    """

    digest = models.TextField()
    client = models.ForeignKey(Client, models.CASCADE)
    fhir_server = models.ForeignKey(FhirServer, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    context = models.TextField(default="{}")
    patient_vouched = models.BigIntegerField(default=0)
    created_at = models.BigIntegerField(default=clock.now)
    expires_at = models.BigIntegerField(db_index=True)
    consumed_at = models.BigIntegerField(default=0)

    class Meta:
        constraints = [unique_text("digest", name="one_launch_a_digest")]

    def __str__(self) -> str:
        return public_reference(self.pk)
