"""django-oauth-toolkit's `cleartokens` knows nothing of what is kept here and how long: the task worker sweeps."""

from accounts.management.refused_command import RefusedCommand


class Command(RefusedCommand):
    help = "Refused: the task worker deletes what is over."
    refusal = (
        "This would delete tokens that are still needed to find out a replay. "
        "The task worker deletes what is over: `manage.py dev` starts it, elsewhere `celery -A smartauth worker -B`."
    )
