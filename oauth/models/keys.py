"""The keys that sign tokens."""

from django.db import models
from django.db.models import Q


class SigningKey(models.Model):
    """One key pair; the private half is encrypted at rest and forgotten when the key retires.

    The public half is published while tokens may need it, and no longer once the key is withdrawn.
    """

    class State(models.TextChoices):
        NEXT = "next"
        ACTIVE = "active"
        RETIRED = "retired"

    kid = models.TextField(unique=True)
    algorithm = models.TextField()
    state = models.TextField(choices=State.choices, default=State.NEXT)
    public_jwk = models.TextField()
    private_encrypted = models.TextField()
    created_at = models.BigIntegerField()
    activated_at = models.BigIntegerField(default=0)
    retired_at = models.BigIntegerField(default=0)
    withdrawn_at = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["algorithm"], condition=Q(state="active"), name="one_active_key_an_algorithm"
            ),
            models.UniqueConstraint(fields=["algorithm"], condition=Q(state="next"), name="one_next_key_an_algorithm"),
        ]

    def __str__(self) -> str:
        return self.kid
