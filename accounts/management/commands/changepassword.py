"""Django's `changepassword` ends nothing and leaves no event: `manage.py password` stands in its place."""

from accounts.management.refused_command import RefusedCommand


class Command(RefusedCommand):
    help = "Refused: `manage.py password USER --set` sets a password."
    refusal = (
        "This would change a password without an event and leave sessions and access as they are. "
        "`manage.py password USER --set` sets a new one and ends both."
    )
