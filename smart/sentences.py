"""What a person reads before he allows: scopes as lines he can untick (AZ-14, AZ-15, SCP-12)."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from smart import words
from smart.scope import letters
from smart.scopes import Scope, coherent, granted, shortest

SEE, CHANGE, WHO, TIME = "see", "change", "who", "time"
GROUPS = (SEE, CHANGE, WHO, TIME)
# Told beside the lines, never ticked: which record the app is told about.
CONTEXT_SCOPES = ("launch", "launch/patient", "launch/encounter")

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Line:
    """One choice. `allows` are the scopes that go with it; lines of the group "time" exclude each other."""

    number: int
    group: str
    text: str
    hint: str
    allows: tuple[str, ...]
    strong: str = ""
    kind: str = ""

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
class Telling:
    """Whose record, held where, for how long: what the sentences name. An empty subject is the person himself."""

    server: str
    seconds: int
    subject: str = ""
    role: str = ""
    until: str = ""

    def fill(self, text: str, **more: str) -> str:
        record = words.RECORD_OF.replace("{subject}", self.subject) if self.subject else words.RECORD_OWN
        values = {"server": self.server, "subject": self.subject or words.SUBJECT_OWN, "record": record, **more}
        return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], text)


def lines(scopes: Iterable[Scope], telling: Telling) -> tuple[Line, ...]:
    """The choices, in the order of the words' table; nothing for scopes that no one may tick."""
    found = coherent(scopes)
    told = [
        *(_seen(scope, telling) for scope in _share(found, "rs")),
        *(_changed(scope, telling, found) for scope in _share(found, "cud")),
        *_identity(found, telling),
        *_time(found, telling),
    ]
    return tuple(Line(number, *line) for number, line in enumerate(told, start=1))


def kept(scope: str, choices: Sequence[Line], ticked: Collection[int], *, types: frozenset[str]) -> str:
    """What of the granted scopes the person leaves, as he was asked; "" when he ticked nothing (E31)."""
    chosen = [line for line in choices if line.number in ticked]
    if any(line.group != TIME for line in choices) and all(line.group == TIME for line in chosen):
        return ""
    allowed = {name for line in chosen for name in line.allows}
    return granted(scope, " ".join((*CONTEXT_SCOPES, *sorted(allowed))), types=types)


def duration(seconds: int) -> str:
    """A length of time in words."""
    if seconds < 60:
        return words.SECONDS.format(count=seconds)
    minutes = seconds // 60
    return words.ONE_MINUTE if minutes == 1 else words.MINUTES.format(count=minutes)


_Told = tuple[str, str, str, tuple[str, ...], str, str]


def _share(scopes: Iterable[Scope], actions: str) -> list[Scope]:
    """The part of the scopes that needs these letters, merged, in the order of the words' table."""
    parts = []
    for scope in scopes:
        wanted = scope.actions & set(actions)
        if wanted and scope.context in words.SEE:
            name = f"{scope.context}/{scope.resource}.{letters(wanted)}" + "".join(scope.name.partition("?")[1:])
            parts.append(Scope(name, scope.context, scope.resource, frozenset(wanted), scope.query))
    return sorted(shortest(parts), key=_place)


def _place(scope: Scope) -> tuple[int, int, str, str]:
    place = list(words.TYPES).index(scope.resource) if scope.resource in words.TYPES else len(words.TYPES)
    wildcard = scope.resource == "*"
    return (
        list(words.SEE).index(scope.context),
        len(words.TYPES) + 1 if wildcard else place,
        scope.resource,
        scope.name,
    )


def _kind(scope: Scope, telling: Telling, *, changed: bool = False) -> tuple[str, str, str]:
    """Plain name of the type, a hint, and the words of the standard that stay visible as such."""
    if scope.resource in words.TYPES:
        text, hint, strong = telling.fill(words.TYPES[scope.resource]), "", ""
        text = text[:1].lower() + text[1:] if changed else text
    else:
        strong = _WORD.sub(" ", scope.resource).capitalize()
        unknown = words.UNKNOWN_TYPE_CHANGED if changed else words.UNKNOWN_TYPE
        text, hint = telling.fill(unknown, type=strong), words.UNKNOWN_TYPE_HINT
    if scope.query:
        codes = ", ".join(value for _, values in scope.query for value in values)
        text, hint = telling.fill(words.PART, kind=text, codes=codes), words.PART_HINT
    return text, hint, strong


def _seen(scope: Scope, telling: Telling) -> _Told:
    if scope.resource == "*" and not scope.query:
        text, hint = words.SEE_ALL[scope.context], words.SEE_ALL_HINT
        return SEE, telling.fill(text), telling.fill(hint), (scope.name,), "", scope.resource
    text, hint, strong = _kind(scope, telling)
    return SEE, telling.fill(words.SEE[scope.context], kind=text), hint, (scope.name,), strong, scope.resource


def _changed(scope: Scope, telling: Telling, all_scopes: Sequence[Scope]) -> _Told:
    acts = letters(scope.actions)
    if scope.resource == "*" and not scope.query:
        text, hint = telling.fill(words.CHANGE_ALL[acts]), ""
    else:
        kind, hint, _ = _kind(scope, telling, changed=True)
        text = telling.fill(words.CHANGE[acts], kind=kind)
    if scope.context == "user":
        text = telling.fill(words.OF_EVERY_PATIENT, sentence=text)
    hints = (
        words.ADD_HINT if acts == "c" else "",
        words.DELETE_HINT if "d" in acts else "",
        "" if _readable(scope, all_scopes) else words.BLIND_HINT,
        hint,
    )
    strong = next((word for word in words.DELETE if "d" in acts and word in text), "")
    return CHANGE, text, " ".join(filter(None, hints)), (scope.name,), strong, scope.resource


def _readable(scope: Scope, all_scopes: Sequence[Scope]) -> bool:
    wanted = Scope("", scope.context, scope.resource, frozenset("r"), scope.query)
    searched = Scope("", scope.context, scope.resource, frozenset("s"), scope.query)
    return any(held.covers(wanted) or held.covers(searched) for held in all_scopes)


def _identity(scopes: Sequence[Scope], telling: Telling) -> list[_Told]:
    asked = [scope for scope in scopes if scope.plain in ("openid", "fhirUser", "profile")]
    if not asked:
        return []
    named = any(scope.plain != "openid" for scope in asked)
    text = words.IDENTITY + (f": {telling.role}" if telling.role else "") if named else words.RECOGNISE
    return [(WHO, text, "", tuple(scope.plain for scope in asked), "", "")]


def _time(scopes: Sequence[Scope], telling: Telling) -> list[_Told]:
    held = {scope.plain for scope in scopes}
    told: list[_Told] = []
    if "offline_access" in held:
        told.append(
            (TIME, words.OFFLINE, f"{words.OFFLINE_HINT} {telling.until}".rstrip(), ("offline_access",), "", "")
        )
    if "online_access" in held:
        told.append((TIME, words.ONLINE, words.ONLINE_HINT, ("online_access",), "", ""))
    hint = telling.fill(words.ONLY_NOW_HINT, duration=duration(telling.seconds))
    return [*told, (TIME, words.ONLY_NOW, hint, (), "", "")]
