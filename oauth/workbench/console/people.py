"""Who the people of the rows are: looked up where rows are shown, never where requests are answered."""

from collections.abc import Iterable
from dataclasses import replace

from accounts.models import User
from oauth.workbench.console.row import Row
from smart.remembered import forget_too

_usernames: dict[str, str] = {}
forget_too(_usernames.clear)


def with_people(rows: Iterable[Row]) -> list[Row]:
    """The rows with user names: one statement where there is anybody new, otherwise none."""
    found = list(rows)
    unknown = {row.subject for row in found if row.subject} - _usernames.keys()
    if unknown:
        _usernames.update(dict.fromkeys(unknown, ""))
        _usernames.update(User.objects.filter(subject__in=unknown).values_list("subject", "username"))
    return [replace(row, person=_usernames.get(row.subject) or row.person) for row in found]
