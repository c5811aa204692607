"""The scheduled task of the FHIR server's audit records."""

from celery import shared_task

from fhir.audit import shipping


@shared_task
def ship() -> int:
    """Ships what waits."""
    return shipping.ship()
