"""Django's `changepassword` ends nothing and leaves no event: `manage.py password` stands in its place."""

from django.conf import settings

from accounts.management.refused_command import RefusedCommand


class Command(RefusedCommand):
    help = f"Refused: `{settings.SMARTAUTH_COMMAND} password USER --set` sets a password."
    refusal = (
        "This would change a password without an event and leave sessions and access as they are. "
        f"`{settings.SMARTAUTH_COMMAND} password USER --set` sets a new one and ends both."
    )
