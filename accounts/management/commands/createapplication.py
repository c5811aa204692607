"""django-oauth-toolkit's `createapplication` knows no rules of a client and leaves no event: the seed file does."""

from django.conf import settings

from accounts.management.refused_command import RefusedCommand


class Command(RefusedCommand):
    help = f"Refused: a client is made by `{settings.SMARTAUTH_COMMAND} seed FILE` or in the admin."
    refusal = (
        "This would make a client that works at once, without an event and beside the rules for clients. "
        f"`{settings.SMARTAUTH_COMMAND} seed FILE` makes one, and so does the admin."
    )
