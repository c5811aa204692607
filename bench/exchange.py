"""Code exchanges: a code of a person each, made beforehand, with a proof key, a secret and a refresh token to get."""

from typing import Any

EXCHANGE = "exchange"
SCOPE = "offline_access patient/*.rs"
REDIRECT_URI = "https://app.example.org/callback"
VERIFIER = "smartauth-example-verifier-0123456789-abcdefghij"
CHALLENGE = "srPl9FdvyKJNhqOfpI1xknQzvd9WTQojDoIan86nxWU"
MOST = 12_000  # a second: each code is good once
FIELDS = ("access_token", "refresh_token", "token_type", "expires_in", "scope")


def needed(turns: int, seconds: float) -> int:
    """How many codes a contender needs for so many turns of so many seconds."""
    return int(MOST * (turns * seconds + 1))


def copies(count: int, apps: int) -> list[tuple[str, str]]:
    """The codes that bench.seed has put into our database, each with the app that may exchange it."""
    return [(f"code{number}", f"app-{number % apps}") for number in range(count)]


def form(code: str) -> dict[str, str]:
    """What the app that has this code sends."""
    sent = {"grant_type": "authorization_code", "code": code}
    return {**sent, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}


def is_right(answer: dict[str, Any]) -> bool:
    """Whether it has all that such a code buys."""
    return all(answer.get(field) for field in FIELDS) and set(answer["scope"].split()) == set(SCOPE.split())
