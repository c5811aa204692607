"""Who logs in, and the failures that are counted against guessing."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models import F

from accounts import clock

CLAIM_FIELDS = frozenset({"username", "name", "given_name", "family_name", "locale", "email", "email_verified"})


def new_subject() -> str:
    """A `sub` that is never reassigned, never equals a client_id, and says nothing (RFC 9700 §4.15)."""
    return "u-" + secrets.token_hex(16)


class UserQuerySet(models.QuerySet["User"]):
    def advance_epoch(self) -> int:
        """Every token of these people is dead at the next introspection."""
        return self.update(epoch=F("epoch") + 1)

    def suspend(self, reason: str) -> int:
        """These people cannot sign in until an operator lifts the suspension, and all their access ends."""
        return self.update(epoch=F("epoch") + 1, suspended_at=clock.now(), suspended_for=reason)

    def require_sign_in(self, *, now: int) -> int:
        """These people log in anew before they may allow anything."""
        return self.update(login_after=now)

    def lift_suspension(self) -> int:
        """These people may sign in again; what ended stays ended."""
        return self.update(suspended_at=0, suspended_for="")

    def require_new_password(self) -> int:
        """These people choose a new password before anything else that they do here."""
        return self.update(must_change_password=clock.now())


class UserManager(BaseUserManager["User"]):
    """What Django calls a manager: it makes people, and reads like UserQuerySet."""

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in."""

    username = models.CharField(max_length=150, unique=True)
    name = models.CharField(max_length=200, blank=True)
    given_name = models.CharField(max_length=200, blank=True)
    family_name = models.CharField(max_length=200, blank=True)
    locale = models.CharField(max_length=35, blank=True)
    subject = models.TextField(unique=True, default=new_subject, editable=False)
    email = models.EmailField(blank=True)
    email_verified = models.BigIntegerField(default=0)  # 1 = an operator or the seed file vouches for it
    is_staff = models.BooleanField("operator", default=False)
    epoch = models.BigIntegerField(default=0, editable=False)
    suspended_at = models.BigIntegerField(default=0, editable=False, db_column="stopped_at")
    suspended_for = models.TextField(default="", blank=True, editable=False, db_column="stopped_for")
    login_after = models.BigIntegerField(default=0, editable=False)  # only a login newer than this may allow anything
    must_change_password = models.BigIntegerField(default=0, editable=False)  # since when, 0 = not
    created_at = models.BigIntegerField(default=clock.now, editable=False)
    updated_at = models.BigIntegerField(default=clock.now, editable=False)  # what apps may hear; 0 = not known

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        return self.suspended_at == 0

    def mark_updated(self, changed: Iterable[str]) -> list[str]:
        """Sets when what apps may hear of this person last changed; the names of the fields that this sets."""
        if CLAIM_FIELDS.isdisjoint(changed):
            return []
        self.updated_at = clock.now()
        return ["updated_at"]

    def get_full_name(self) -> str:
        return self.name or self.username

    @classmethod
    def nobody(cls) -> Self:
        """A person with an unusable password, to spend the same time on a name that does not exist."""
        nobody = cls(username="")
        nobody.set_unusable_password()
        return nobody


class SignInQuerySet(models.QuerySet["SignIn"]):
    def of(self, user: User, *, now: datetime) -> Self:
        """Where this person is signed in, last used first."""
        return self.filter(user=user, session__expire_date__gt=now).order_by("-last_seen_at", "-pk")

    def end(self) -> int:
        """These browsers are signed out at their next request."""
        keys = list(self.values_list("session_id", flat=True))
        return Session.objects.filter(session_key__in=keys).delete()[1].get("sessions.Session", 0)


class SignIn(models.Model):
    """Whose a session is and where it is used, which Django's own row does not tell. They are deleted together."""

    user = models.ForeignKey(User, models.CASCADE, related_name="sign_ins")
    session = models.OneToOneField(Session, models.CASCADE, related_name="sign_in")
    created_at = models.BigIntegerField(default=clock.now)
    last_seen_at = models.BigIntegerField(default=clock.now)
    address = models.TextField()
    user_agent = models.TextField()

    objects = SignInQuerySet.as_manager()


class RateCount(models.Model):
    """How often something happened from one address within one window; the key names what, and who did it."""

    key = models.TextField(unique=True)
    count = models.BigIntegerField(db_column="failures")
    window_ends_at = models.BigIntegerField(db_index=True)

    class Meta:
        db_table = "accounts_failurecount"
