"""User names: one spelling of each, and no two that a person could not tell apart (UTR 36 §2)."""

import re
import unicodedata

from accounts.models import User


def normalize_username(typed: str) -> str:
    """The name that somebody means who types it: as it is registered, in letters of usual width (UAX 15, NFKC)."""
    return unicodedata.normalize("NFKC", typed).strip()


def compose_username(typed: str) -> str:
    """The name as it is registered: without pasted blanks, and with each accent in its letter (UAX 15, NFC)."""
    return unicodedata.normalize("NFC", typed).strip()


def find_user(typed: str) -> User | None:
    """The person with that name, however it was typed; a name as it was kept before comes first."""
    if not typed or not _can_be_stored(typed):
        return None
    names = dict.fromkeys((typed, normalize_username(typed)))
    found = {user.username: user for user in User.objects.get_queryset().filter(username__in=names)}
    return next((found[name] for name in names if name in found), None)


def is_similar_taken(username: str, *, but: int | None = None) -> bool:
    """Whether somebody else's name differs from this one by case or width alone."""
    if not _can_be_stored(username):
        return False
    name = normalize_username(username)
    others = User.objects.get_queryset().exclude(pk=but or 0)
    if name.isascii():
        return others.filter(username__iexact=name).exists()
    # a database folds letters beyond ASCII as its locale says, or not at all: only Python does it everywhere alike
    names = others.values_list("username", flat=True).iterator()
    return any(normalize_username(one).casefold() == name.casefold() for one in names)


def _can_be_stored(name: str) -> bool:
    longest = User._meta.get_field("username").max_length or 0
    return len(name) <= longest and "\0" not in name and not re.search("[\ud800-\udfff]", name)
