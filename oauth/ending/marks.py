"""When and why access ended, written into each row: after the end of a whole client or FHIR server, which an epoch is.

Nothing of it lives any more, so this may take its time. What a process left unmarked the next ending or sweep marks.
"""

import logging

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from oauth.ending.reasons import EndedFor
from oauth.models import Authorization, UnmarkedEnding, liveness

log = logging.getLogger(__name__)
AT_ONCE = 500


def mark_all() -> int:
    """Marks what endings left unmarked: the first ending first, as its reason stands. Counts the rows.

    A failure is logged, never raised: access has ended, and the next call tries again.
    """
    marked = 0
    try:
        for ending in UnmarkedEnding.objects.order_by("pk"):
            marked += _try_to_mark(ending)
    except Exception:
        log.exception("endings are not marked yet")
    return marked


def mark_what_services_lost(*, now: int) -> None:
    """Ends what is allowed to services under an epoch that is over: granted, say, while an ending committed."""
    if UnmarkedEnding.objects.exists():
        return  # it knows the reason
    standing = Authorization.objects.standing_for_services()
    of_client = ~Q(client_epoch=F("client__epoch"))
    of_server = ~Q(fhir_server_epoch=F("fhir_server__epoch"))
    for lost, reason in ((of_client, EndedFor.CLIENT_ENDED), (of_server, EndedFor.FHIR_SERVER_ENDED)):
        while some := list(standing.filter(lost).values_list("pk", flat=True)[:AT_ONCE]):
            Authorization.objects.filter(pk__in=some).end(reason, now=now)


def _try_to_mark(ending: UnmarkedEnding) -> int:
    """Counts no row of an ending that fails: it holds up none of the others."""
    try:
        return _mark(ending)
    except Exception:
        log.exception("ending %s is not marked yet", ending.pk)
        return 0


def _mark(ending: UnmarkedEnding) -> int:
    """In transactions of their own, so that nothing waits long for a row."""
    marked, last = 0, 0
    while keys := list(_unmarked(ending).filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]):
        marked += Authorization.objects.filter(pk__in=keys).end(ending.reason, now=ending.ended_at)
        last = keys[-1]
    UnmarkedEnding.objects.filter(pk=ending.pk).delete()
    return marked


def _unmarked(ending: UnmarkedEnding) -> QuerySet[Authorization]:
    """Those that it ended; what had run out by itself before keeps that as its reason, and what an ending before it
    ended is left to that one. What a service is allowed never runs out: its next token would have belonged to it."""
    if ending.client_id:
        of = Authorization.objects.filter(client=ending.client_id, client_epoch=ending.epoch)
    else:
        of = Authorization.objects.filter(fhir_server=ending.fhir_server_id, fhir_server_epoch=ending.epoch)
    earlier = UnmarkedEnding.objects.filter(pk__lt=ending.pk)
    of_client = earlier.filter(client=OuterRef("client"), epoch=OuterRef("client_epoch"))
    of_server = earlier.filter(fhir_server=OuterRef("fhir_server"), epoch=OuterRef("fhir_server_epoch"))
    left = of.filter(Q(user__isnull=True) | liveness.may_live(now=ending.ended_at), ended_at=0)
    return left.filter(~Exists(of_client), ~Exists(of_server)).order_by("pk")
