"""One access token ends, and nothing beside it: the machines' side and the operators do it by this statement."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.models import public_reference, sql

_ITS = """
(SELECT {} FROM oauth_authorization a JOIN oauth_client c ON c.id = a.client_id
    JOIN oauth_fhirserver s ON s.id = a.fhir_server_id LEFT JOIN accounts_user u ON u.id = a.user_id
    WHERE a.id = oauth_accesstoken.authorization_id)
"""


class EndedToken(NamedTuple):
    """An access token that has just ended, and what its event says of it."""

    pk: Annotated[int, "id"]
    authorization_pk: Annotated[int, "authorization_id"]
    client_id: Annotated[str, _ITS.format("c.client_id")]
    person: Annotated[str | None, _ITS.format("u.subject")]
    fhir_server: Annotated[str, _ITS.format("s.base")]
    patient: Annotated[str, _ITS.format("a.patient")]


def end_statement(condition: str) -> sql.Statement[EndedToken]:
    """The statement that ends the live token which fits this condition, a text of ours."""
    change = f"UPDATE oauth_accesstoken SET revoked_at = %s, revoked_for = %s WHERE revoked_at = 0 AND {condition}"  # noqa: S608
    return sql.returning(EndedToken, change)


END_BY_ID = end_statement("id = %s")
END_BY_DIGEST = end_statement("digest = %s")


def end_token(
    statement: sql.Statement[EndedToken], values: Sequence[sql.Value], actor: Actor, reason: EndedFor
) -> bool:
    """The token is dead, and an event says so. False where there was none left to end."""
    ended = sql.one(statement, [actor.now, reason, *values])
    if ended is None:
        return False
    record_events(ended_event(ended, actor, reason))
    return True


def ended_event(ended: EndedToken, actor: Actor, reason: EndedFor) -> Event:
    """Tells of a token that has ended."""
    return actor.event(
        EventKind.REVOKED,
        token=public_reference(ended.pk),
        authorization=public_reference(ended.authorization_pk),
        client=ended.client_id,
        person=ended.person or "",
        fhir_server=ended.fhir_server,
        patient=ended.patient,
        reason=reason,
    )
