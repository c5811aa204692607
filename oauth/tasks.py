"""The scheduled tasks of the authorization server."""

from celery import shared_task

from accounts import clock
from oauth.ending import marks
from oauth.keys import rotation
from oauth.retention import sweeping


@shared_task
def sweep() -> int:
    """Finishes what an ending left to be written, and deletes what is over and needed by nobody, whatever fails."""
    try:
        marks.mark_all()
        marks.mark_what_services_lost(now=clock.now())
    finally:
        count = sweeping.sweep()
    return count


@shared_task
def rotate_keys() -> int:
    """Another key signs where one has signed long enough."""
    return rotation.rotate_due()
