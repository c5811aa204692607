"""How long an answer may be used again, as its sender says (RFC 9111 §4.2, §5.2.2)."""

DEFAULT_SECONDS = 60
MAX_SECONDS = 3600
_NEVER = frozenset({"no-store", "no-cache"})


def freshness_seconds(cache_control: str | None, age: str | None = None) -> int:
    """For how many seconds; 0 = not at all, 60 where nothing is said, never more than an hour (CL-10)."""
    said = [part.strip().lower() for part in (cache_control or "").split(",")]
    if not _NEVER.isdisjoint(name.partition("=")[0].strip() for name in said):
        return 0
    lives = [_whole(value) for name, _, value in (part.partition("=") for part in said) if name.strip() in _LIVES]
    return max(0, min([*lives, MAX_SECONDS] if lives else [DEFAULT_SECONDS]) - _whole(age or "0"))


_LIVES = frozenset({"max-age", "s-maxage"})


def _whole(text: str) -> int:
    """A number of seconds; what is none counts as stale."""
    digits = text.strip().strip('"')
    return int(digits[:9]) if digits.isascii() and digits.isdigit() else 0
