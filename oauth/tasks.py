"""The scheduled tasks of the authorization server."""

from celery import shared_task

from oauth import sweeping


@shared_task
def sweep() -> int:
    """Deletes what is over and needed by nobody."""
    return sweeping.sweep()
