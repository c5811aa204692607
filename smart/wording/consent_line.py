"""One choice on the consent page, and what its sentences name (AZ-14, AZ-15, SCP-12)."""

import re
from dataclasses import dataclass

from smart.wording import words

SEE, CHANGE, WHO, TIME = "see", "change", "who", "time"
GROUPS = (SEE, CHANGE, WHO, TIME)


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of what a line is about, which can be allowed alone."""

    number: int
    text: str
    allows: str


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One choice. `allows` are the scopes that go with it; lines of the group "time" exclude each other.

    A line with `kinds` can be allowed whole, or only some of them instead (SCP-12). One that is `fixed` cannot be left
    out: without it the rest would be granted all the same, or nothing could be.
    """

    number: int
    group: str
    text: str
    hint: str
    allows: tuple[str, ...]
    strong: str = ""
    kind: str = ""
    kinds: tuple[RecordKind, ...] = ()
    fixed: bool = False

    @property
    def whole(self) -> str:
        """How the choice of all its kinds is called."""
        return words.EVERYTHING if self.kind == "*" else words.WHOLE

    @property
    def deletes(self) -> bool:
        """Whether the line must warn of what cannot be undone."""
        return self.strong in words.DELETE

    @property
    def parts(self) -> tuple[tuple[str, bool], ...]:
        """The text in pieces, each with whether it is emphasised."""
        before, strong, after = self.text.partition(self.strong) if self.strong else (self.text, "", "")
        return tuple(
            (text, emphasised) for text, emphasised in ((before, False), (strong, True), (after, False)) if text
        )


@dataclass(frozen=True, slots=True)
class ConsentContext:
    """Whose record, held where, for how long: what the sentences name. An empty subject is the person who reads."""

    server: str
    seconds: int
    subject: str = ""
    role: str = ""
    until: str = ""
    version: str = "r4"
    mixed: bool = False
    remembered_days: int = 0  # plain OpenID Connect: how long what is allowed is not asked again

    def fill(self, text: str, **more: str) -> str:
        record = words.RECORD_OF.replace("{subject}", self.subject) if self.subject else words.RECORD_OWN
        values = {"server": self.server, "subject": self.subject or words.SUBJECT_OWN, "record": record, **more}
        return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], text)
