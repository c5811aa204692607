"""What a person reads before they allow: scopes as lines that they can untick (AZ-14, AZ-15, SCP-12)."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from smart.fhir.versions import resource_types
from smart.scopes.categories import categories, category_values, code_of
from smart.scopes.scope import LAUNCH_SCOPES, Query, Scope, action_letters
from smart.scopes.scope_sets import coherent_scopes, grantable_scope, shortest_form
from smart.wording import words

SEE, CHANGE, WHO, TIME = "see", "change", "who", "time"
GROUPS = (SEE, CHANGE, WHO, TIME)

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of what a line is about, which can be allowed alone."""

    number: int
    text: str
    allows: str


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One choice. `allows` are the scopes that go with it; lines of the group "time" exclude each other.

    A line with `kinds` can be allowed whole, or only some of them instead (SCP-12).
    """

    number: int
    group: str
    text: str
    hint: str
    allows: tuple[str, ...]
    strong: str = ""
    kind: str = ""
    kinds: tuple[RecordKind, ...] = ()

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


def consent_lines(scopes: Iterable[Scope], telling: ConsentContext) -> tuple[ConsentLine, ...]:
    """The choices, in the order of the words' table; nothing for scopes that no one may tick."""
    every = tuple(scopes)
    found = coherent_scopes(every)
    telling = replace(telling, mixed=any(scope.context == "user" for scope in found))
    told = [
        *(_seen(scope, telling) for scope in _share(found, "rs")),
        *(_changed(scope, telling, found) for scope in _share(found, "cud")),
        *_identity(found, telling),
        *_time(every, telling),
    ]
    return tuple(ConsentLine(number, *line) for number, line in enumerate(told, start=1))


def chosen_scope(
    scope: str,
    choices: Sequence[ConsentLine],
    ticked: Collection[int],
    some: Mapping[int, Collection[int]] | None = None,
    *,
    types: frozenset[str],
) -> str:
    """What of the granted scopes the person leaves, as the app asked; "" when nothing is ticked (E31).

    `some` are the lines of which only the kinds of these numbers are allowed: the whole is then not granted (SCP-12).
    """
    partly = {line: kinds for line, kinds in (some or {}).items() if kinds}
    chosen = [line for line in choices if line.number in ticked and line.number not in (some or {})]
    time = [line for line in chosen if line.group == TIME][:1]
    chosen = [line for line in chosen if line.group != TIME]
    if any(line.group != TIME for line in choices) and not (chosen or partly):
        return ""
    allowed = {name for line in (*chosen, *time) for name in line.allows}
    allowed |= {kind.allows for line in choices for kind in line.kinds if kind.number in partly.get(line.number, ())}
    return grantable_scope(scope, " ".join((*LAUNCH_SCOPES, *sorted(allowed))), types=types)


def duration(seconds: int) -> str:
    """A length of time in words."""
    if seconds < 60:
        return words.SECONDS.format(count=seconds)
    minutes = seconds // 60
    return words.ONE_MINUTE if minutes == 1 else words.MINUTES.format(count=minutes)


_Told = tuple[str, str, str, tuple[str, ...], str, str, tuple[RecordKind, ...]]


def _share(scopes: Iterable[Scope], actions: str) -> list[Scope]:
    """The part of the scopes that needs these letters, merged, in the order of the words' table."""
    parts = []
    for scope in scopes:
        wanted = scope.actions & set(actions)
        if wanted and scope.context in words.SEE:
            name = f"{scope.context}/{scope.resource}.{action_letters(wanted)}" + "".join(scope.name.partition("?")[1:])
            parts.append(Scope(name, scope.context, scope.resource, frozenset(wanted), scope.query))
    return sorted(shortest_form(parts), key=_place)


def _place(scope: Scope) -> tuple[int, int, str, str]:
    place = list(words.TYPES).index(scope.resource) if scope.resource in words.TYPES else len(words.TYPES)
    wildcard = scope.resource == "*"
    return (
        list(words.SEE).index(scope.context),
        len(words.TYPES) + 1 if wildcard else place,
        scope.resource,
        scope.name,
    )


def _kind(scope: Scope, telling: ConsentContext, *, changed: bool = False) -> tuple[str, str, str]:
    """Plain name of the type, a hint, and the words of the standard that stay visible as such."""
    if scope.resource in words.TYPES:
        subject = words.SUBJECT_ANYBODY if scope.context == "user" else telling.subject or words.SUBJECT_OWN
        text, hint, strong = telling.fill(words.TYPES[scope.resource], subject=subject), "", ""
        text = text[:1].lower() + text[1:] if changed else text
    else:
        strong = _spelled(scope.resource)
        unknown = words.UNKNOWN_TYPE_CHANGED if changed else words.UNKNOWN_TYPE
        text, hint = telling.fill(unknown, type=strong), words.UNKNOWN_TYPE_HINT
    if scope.query:
        text, hint = _restricted(scope.query, text, hint, telling, changed=changed)
    return text, hint, strong


def _restricted(query: Query, text: str, hint: str, telling: ConsentContext, *, changed: bool) -> tuple[str, str]:
    """What is left of a type by a restriction: named where the kind has a name, else by its codes (SCP-10)."""
    named = [words.KINDS.get(code_of(value), "") for value in category_values(query)]
    if named and all(named):
        kinds = words.OR.join(named)
        return (kinds[:1].lower() + kinds[1:] if changed else kinds), hint
    codes = words.AND.join(words.OR.join(map(_marked, values)) for _, values in query)
    return telling.fill(words.PART, kind=text, codes=codes), words.PART_HINT


def _marked(value: str) -> str:
    system, bar, code_ = value.rpartition("|")
    return words.CODE.replace("{code}", code_).replace("{system}", system) if bar else value


def _spelled(resource: str) -> str:
    return _WORD.sub(" ", resource).capitalize()


def _kinds(scope: Scope, telling: ConsentContext) -> tuple[RecordKind, ...]:
    """What of a whole type, or of everything, can be allowed alone; the letters stay those that were asked."""
    acts = action_letters(scope.actions)
    if scope.query:
        return ()
    if scope.resource == "*":
        known = resource_types(telling.version)
        parts = [(telling.fill(text), name, "") for name, text in words.TYPES.items() if name in known]
    else:
        found = categories(telling.version, scope.resource)
        parts = [(words.KINDS[code_of(value)], scope.resource, f"?category={value}") for value in found]
    return tuple(
        RecordKind(number, text, f"{scope.context}/{resource}.{acts}{restriction}")
        for number, (text, resource, restriction) in enumerate(parts, start=1)
    )


def _seen(scope: Scope, telling: ConsentContext) -> _Told:
    kinds = _kinds(scope, telling)
    if scope.resource == "*" and not scope.query:
        text, hint = words.SEE_ALL[scope.context], words.SEE_ALL_HINT
        return SEE, telling.fill(text), telling.fill(hint), (scope.name,), "", scope.resource, kinds
    text, hint, strong = _kind(scope, telling)
    hint = hint or (words.KIND_HINTS.get(scope.resource, "") if kinds else "")
    text = telling.fill(words.SEE[scope.context], kind=text)
    return SEE, _of_one(text, scope, telling), hint, (scope.name,), strong, scope.resource, kinds


def _of_one(text: str, scope: Scope, telling: ConsentContext) -> str:
    """Told apart from what the person may see of everybody, where the page asks for both."""
    mixed = telling.mixed and scope.context == "patient"
    return telling.fill(words.IN_ONE_RECORD, sentence=text) if mixed else text


def _changed(scope: Scope, telling: ConsentContext, all_scopes: Sequence[Scope]) -> _Told:
    acts = action_letters(scope.actions)
    if scope.resource == "*" and not scope.query:
        text, hint = telling.fill(words.CHANGE_ALL[acts], reach=telling.fill(words.REACH[scope.context])), ""
    else:
        kind, hint, _ = _kind(scope, telling, changed=True)
        text = telling.fill(words.CHANGE[acts], kind=kind)
        text = telling.fill(words.OF_EVERY_PATIENT, sentence=text) if scope.context == "user" else text
        text = _of_one(text, scope, telling)
    hints = (
        words.ADD_HINT if acts == "c" else "",
        words.DELETE_HINT if "d" in acts else "",
        "" if _readable(scope, all_scopes) else words.BLIND_HINT,
        hint,
    )
    strong = next((word for word in words.DELETE if "d" in acts and word in text), "")
    return CHANGE, text, " ".join(filter(None, hints)), (scope.name,), strong, scope.resource, ()


def _readable(scope: Scope, all_scopes: Sequence[Scope]) -> bool:
    wanted = Scope("", scope.context, scope.resource, frozenset("r"), scope.query)
    searched = Scope("", scope.context, scope.resource, frozenset("s"), scope.query)
    return any(held.covers(wanted) or held.covers(searched) for held in all_scopes)


def _identity(scopes: Sequence[Scope], telling: ConsentContext) -> list[_Told]:
    asked = [scope for scope in scopes if scope.short_name in ("openid", "fhirUser", "profile")]
    if not asked:
        return []
    named = any(scope.short_name != "openid" for scope in asked)
    identity = words.ACCOUNT if telling.remembered_days else words.IDENTITY
    text = identity + (f": {telling.role}" if telling.role else "") if named else words.RECOGNISE
    told: list[_Told] = [(WHO, text, "", tuple(scope.short_name for scope in asked), "", "", ())]
    if any(scope.short_name == "email" for scope in scopes):
        told.append((WHO, words.EMAIL, "", ("openid", "email"), "", "", ()))
    return told


def _time(scopes: Sequence[Scope], telling: ConsentContext) -> list[_Told]:
    held = {scope.short_name for scope in scopes}
    now = words.ONLY_NOW, telling.fill(words.ONLY_NOW_HINT, duration=duration(telling.seconds))
    if telling.remembered_days:
        now = words.WHENEVER, telling.fill(words.WHENEVER_HINT, days=str(telling.remembered_days))
    told = [
        ("offline_access", words.OFFLINE, f"{words.OFFLINE_HINT} {telling.until}".rstrip()),
        ("online_access", words.ONLINE, words.ONLINE_HINT),
        ("", *now),
    ]
    return [
        (TIME, text, hint, (name,) if name else (), "", "", ()) for name, text, hint in told if name in held or not name
    ]
