"""How much clients are used: for all rows of a list at once."""

from collections.abc import Sequence

from django.db import connections
from django.db.models import Count

from oauth.models import AccessToken, Client, liveness

_LAST = "SELECT %s, max(at) FROM audit_securityevent WHERE client = %s AND kind = 'issued'"


def live_tokens(clients: Sequence[Client], *, now: int) -> dict[int, int]:
    """Live access tokens by client."""
    tokens = liveness.live(AccessToken.objects.filter(authorization__client__in=clients), now=now)
    return dict(tokens.values_list("authorization__client").annotate(Count("pk")).order_by())


def last_used(clients: Sequence[Client]) -> dict[str, int]:
    """When each client last got a token, by client_id: one look at the end of an index for each, in one statement."""
    if not clients:
        return {}
    values = [value for client in clients for value in (client.client_id, client.client_id)]
    with connections["audit"].cursor() as cursor:
        cursor.execute(" UNION ALL ".join([_LAST] * len(clients)), values)
        return {client_id: at for client_id, at in cursor.fetchall() if at}
