"""django-oauth-toolkit's `clearcimdapplications` deletes clients without an event: here none is ever deleted."""

from accounts.management.refused_command import RefusedCommand


class Command(RefusedCommand):
    help = "Refused: the admin disables a client."
    refusal = (
        "This would delete clients and leave no event. "
        "The admin disables a client, which ends its access; what was recorded about it stays."
    )
