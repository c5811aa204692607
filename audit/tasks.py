"""The scheduled tasks of the trail."""

from celery import shared_task

from audit import shipping


@shared_task
def ship() -> int:
    """Ships what waits in the outbox."""
    return shipping.ship()
