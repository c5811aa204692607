"""The verb about the keys that sign tokens."""

import click

from smartauth.command_line.django_command import django_command
from smartauth.command_line.servers import AS_JSON


@click.group()
def keys() -> None:
    """The keys that sign tokens."""


@keys.command("list")
@AS_JSON
@django_command("keys", "list")
def list_keys() -> None:
    """Print each key with its state and since when."""


@keys.command("rotate")
@click.option("--algorithm", metavar="NAME", help="This one alone, such as ES256; default: all.")
@click.option("--now", is_flag=True, help="Even if the next key was not published long enough.")
@AS_JSON
@django_command("keys", "rotate")
def rotate() -> None:
    """Let the next keys sign; tokens of the old ones verify until they expire."""


@keys.command("withdraw")
@click.argument("kid")
@AS_JSON
@django_command("keys", "withdraw")
def withdraw() -> None:
    """Stop publishing a key that somebody else may have."""


@keys.command("re-encrypt")
@AS_JSON
@django_command("keys", "re-encrypt")
def re_encrypt() -> None:
    """Encrypt every private half under the first key-encryption key."""
