"""django-oauth-toolkit's `cleartokens` knows nothing of what is kept here and how long: the task worker sweeps."""

from django.conf import settings

from accounts.management.refused_command import RefusedCommand


class Command(RefusedCommand):
    help = "Refused: the task worker deletes what is over."
    refusal = (
        "This would delete tokens that are still needed to find out a replay. "
        f"The task worker deletes what is over: `{settings.SMARTAUTH_COMMAND} dev` starts it, "
        "elsewhere `celery -A smartauth worker -B`."
    )
