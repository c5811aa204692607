"""A password that somebody types or pipes, never an argument: those stand in histories and lists of processes."""

import getpass
import sys

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from accounts.models import User
from oauth.registration.problems import UNSAFE
from smart.text import has_unsafe_characters


def ask_password(user: User) -> str:
    """What was typed or piped, if it may be a password of this person. Raises CommandError."""
    password = _read_password()
    if has_unsafe_characters(password):
        raise CommandError(f"The password {UNSAFE} Nothing was changed.")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    return password


def _read_password() -> str:
    if not sys.stdin.isatty():
        return _first_line()
    new = getpass.getpass("New password: ")
    if getpass.getpass("New password again: ") != new:
        raise CommandError("The two differ. Nothing was changed.")
    return new


def _first_line() -> str:
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise CommandError("The password is not UTF-8. Nothing was changed.") from None
