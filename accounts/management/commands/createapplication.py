"""django-oauth-toolkit's `createapplication` knows no rules of a client and leaves no event: the seed file does."""

from accounts.management.refused_command import RefusedCommand


class Command(RefusedCommand):
    help = "Refused: a client is made by `manage.py seed FILE` or in the admin."
    refusal = (
        "This would make a client that works at once, without an event and beside the rules for clients. "
        "`manage.py seed FILE` makes one, and so does the admin."
    )
