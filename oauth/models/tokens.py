"""Codes and tokens: only their hashes are kept."""

from django.db import models

from oauth.models.authorizations import Authorization
from oauth.models.references import public_reference
from oauth.models.seats import Seat
from oauth.models.uniqueness import unique_text


class Code(models.Model):
    """DOT's Grant, swapped: an authorization code. Kept after use as long as what it bought, so a replay kills."""

    digest = models.TextField()
    authorization = models.ForeignKey(Authorization, models.CASCADE, related_name="codes")
    authorization_epoch = models.BigIntegerField(default=0)
    redirect_uri = models.TextField()
    code_challenge = models.TextField()
    nonce = models.TextField(default="", blank=True)
    issued_at = models.BigIntegerField()
    expires_at = models.BigIntegerField(db_index=True)
    consumed_at = models.BigIntegerField(default=0)

    class Meta:
        constraints = [unique_text("digest", name="one_code_a_digest")]


class AccessToken(models.Model):
    """DOT's AccessToken, swapped. `claims` is the introspection answer, ready as text."""

    digest = models.TextField()
    signed_digest = models.TextField(default="", blank=True)
    signature_digest = models.TextField(default="", blank=True)
    jti = models.TextField(null=True)  # an opaque token has none
    authorization = models.ForeignKey(Authorization, models.CASCADE, related_name="access_tokens")
    authorization_epoch = models.BigIntegerField()
    code = models.ForeignKey(Code, models.SET_NULL, null=True)
    seat = models.ForeignKey(Seat, models.SET_NULL, null=True, db_index=False)  # the index of both is enough
    seat_number = models.BigIntegerField(default=0)
    scope = models.TextField()
    claims = models.TextField()
    issued_at = models.BigIntegerField()
    expires_at = models.BigIntegerField(db_index=True)
    revoked_at = models.BigIntegerField(default=0)
    revoked_for = models.TextField(default="", blank=True)
    address = models.TextField(default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["seat", "seat_number"], name="accesstoken_seat_number")]
        constraints = [
            unique_text("digest", name="one_access_token_a_digest"),
            unique_text("jti", name="one_access_token_a_jti"),
        ]

    def __str__(self) -> str:
        return public_reference(self.pk)


class RefreshToken(models.Model):
    """DOT's RefreshToken, swapped: used once. Its family goes back to one launch, `launch_number` in its seat.

    `kept_answer` is what it was exchanged for, readable only with the token itself, during the grace window (RF-05).
    """

    digest = models.TextField()
    authorization = models.ForeignKey(Authorization, models.CASCADE, related_name="refresh_tokens")
    authorization_epoch = models.BigIntegerField()
    predecessor = models.OneToOneField("self", models.SET_NULL, null=True, related_name="successor")
    seat = models.ForeignKey(Seat, models.SET_NULL, null=True)
    launch_number = models.BigIntegerField(default=0, db_column="launch")
    launched_at = models.BigIntegerField(default=0)
    issued_at = models.BigIntegerField()
    expires_at = models.BigIntegerField(db_index=True)
    consumed_at = models.BigIntegerField(default=0)
    kept_answer = models.TextField(default="", blank=True)

    class Meta:
        # as `oauth.retention.answers` asks; on PostgreSQL it is the partitions that have it
        indexes = [models.Index(fields=["id"], condition=models.Q(kept_answer__gt=""), name="refreshtoken_kept_answer")]
        constraints = [unique_text("digest", name="one_refresh_token_a_digest")]


class IDToken(models.Model):
    """DOT asks for the model; an id_token is signed and handed out, never kept."""

    jti = models.TextField(unique=True)


class DeviceGrant(models.Model):
    """DOT asks for the model; the device grant is not served."""

    device_code = models.TextField(unique=True)
