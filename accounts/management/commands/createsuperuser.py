"""Django's `createsuperuser` knows no rules of a person and leaves no event: the seed file makes operators."""

from accounts.management.refused_command import RefusedCommand


class Command(RefusedCommand):
    help = "Refused: an operator is made by `manage.py seed FILE` with `operator: true`."
    refusal = (
        "This would make an operator without an event and beside the rules for people. "
        "`manage.py seed FILE` with `operator: true` makes one, `manage.py password USER --set` their password."
    )
