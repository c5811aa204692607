"""What must be true before the first request is answered."""

import asyncio

from django.conf import settings
from django.core.checks import Tags, run_checks
from django.db import connections

from oauth.demo import credentials
from oauth.keys import signing_keys


async def refuse_unsafe_start() -> None:
    """Raises SystemExit with a sentence for whoever starts the server."""
    await asyncio.to_thread(_refuse_problems)


def _refuse_problems() -> None:
    problems = [str(found.msg) for found in run_checks(tags=[Tags.security]) if found.is_serious()]
    if not problems:
        try:
            problems = _database_problems()
        finally:
            connections.close_all()
    if problems:
        raise SystemExit("smartauth does not start: " + " ".join(problems))


def _database_problems() -> list[str]:
    if not settings.SMARTAUTH_DEV and (left := credentials.usable_demo_credentials()):
        return [f"Demo data with public passwords is in the database: {', '.join(left)}."]
    signing_keys.ensure_keys()
    if lost := signing_keys.unreadable_kids():
        return [
            f"The signing keys {', '.join(lost)} cannot be decrypted: SMARTAUTH_KEY_ENCRYPTION_KEYS lacks the key that "
            "they were encrypted with. If it is lost, `manage.py keys withdraw` makes new ones."
        ]
    return []
