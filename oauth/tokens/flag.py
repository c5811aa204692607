"""Authorizations that an operator should look at: used from elsewhere, or shown with a changed token (PR-03, SD-07)."""

from oauth.models import sql

_FLAG = "UPDATE oauth_authorization SET flagged_at = %s WHERE id = %s"


def flag(authorization: int, *, now: int) -> None:
    """It is flagged until an operator has looked at it."""
    sql.execute(_FLAG, [now, authorization])
