"""One entry of a list on a page's form, and how many a list holds at most."""

from dataclasses import dataclass

OPTIONS_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Option:
    """What is sent where it is chosen, and what the person reads."""

    value: str
    text: str
    chosen: bool
