"""How events name an operator at a command line."""

from accounts import clock
from oauth.ending.selection import Actor

OPERATOR = "manage.py"  # also where it is called smartauth: trails hold this word, and are kept for years


def operator_at_command_line() -> Actor:
    return Actor(now=clock.now(), operator=OPERATOR)
