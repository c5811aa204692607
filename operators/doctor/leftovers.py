"""Keys, files and what is left of development."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from oauth.demo import credentials
from oauth.keys import signing_keys
from operators import readiness
from operators.doctor.problem import Problem

OTHERS = 0o077


def find_key_problems() -> Iterator[Problem]:
    if lost := signing_keys.unreadable_kids():
        what = f"the signing keys {', '.join(lost)} cannot be decrypted"
        mend = (
            "add the key that encrypted them to SMARTAUTH_KEY_ENCRYPTION_KEYS; if it is lost, "
            f"`{settings.SMARTAUTH_COMMAND} keys withdraw` makes new ones"
        )
        yield Problem(what, mend)
    elif not readiness.can_sign():
        yield Problem("no key signs tokens", f"run `{settings.SMARTAUTH_COMMAND} keys rotate`, or start a server once")


def find_open_files() -> Iterator[Problem]:
    """What other accounts of this machine may read: secrets, and data where it lies in files."""
    folder = settings.SMARTAUTH_DATA_DIR
    for path in [folder, *_secret_files(folder)]:
        mode = path.stat().st_mode & 0o777
        if mode & OTHERS:
            right = "700" if path.is_dir() else "600"
            yield Problem(f"other accounts of this machine may open {path}, mode {mode:o}", f"chmod {right} {path}")


def find_demo_credentials() -> Iterator[Problem]:
    if left := credentials.usable_demo_credentials():
        mend = "suspend these people and disable these clients, or change their passwords and secrets"
        yield Problem(f"published passwords open this server: {', '.join(left)}", mend)


def find_debug_leftovers() -> Iterator[Problem]:
    if settings.DEBUG:
        yield Problem("DEBUG is on: error pages show settings and data", "take DEBUG out of the settings")
    if settings.SMARTAUTH_DEV_NETWORKS and not settings.SMARTAUTH_DEV:
        yield Problem("SMARTAUTH_DEV_NETWORKS is set, and means nothing in production", "unset it")


def _secret_files(folder: Path) -> list[Path]:
    found = [folder / "secret-key", folder / "key-encryption-key", *folder.glob("*.sqlite3*")]
    return [path for path in found if path.is_file()]
