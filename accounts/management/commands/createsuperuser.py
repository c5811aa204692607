"""Django's `createsuperuser` knows no rules of a person and leaves no event: the seed file makes operators."""

from django.conf import settings

from accounts.management.refused_command import RefusedCommand


class Command(RefusedCommand):
    help = f"Refused: an operator is made by `{settings.SMARTAUTH_COMMAND} seed FILE` with `operator: true`."
    refusal = (
        "This would make an operator without an event and beside the rules for people. "
        f"`{settings.SMARTAUTH_COMMAND} seed FILE` with `operator: true` makes one, "
        f"`{settings.SMARTAUTH_COMMAND} password USER --set` their password."
    )
