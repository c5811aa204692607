"""What a person reads before they allow: scopes as lines that they can untick (AZ-14, AZ-15, SCP-12)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from smart.fhir.versions import NO_FHIR, resource_types
from smart.scopes.categories import categories, category_values, code_of
from smart.scopes.scope import Query, Scope, action_letters
from smart.scopes.scope_sets import coherent_scopes, shortest_form
from smart.wording import words
from smart.wording.consent_line import CHANGE, SEE, TIME, WHO, ConsentContext, ConsentLine, RecordKind

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def consent_lines(scopes: Iterable[Scope], context: ConsentContext) -> tuple[ConsentLine, ...]:
    """The choices, in the order of the words' table; nothing for scopes that no one may tick."""
    every = tuple(scopes)
    found = coherent_scopes(every)
    context = replace(context, mixed=any(scope.context == "user" for scope in found))
    lines = [
        *(_reading_line(scope, context) for scope in _scopes_with(found, "rs")),
        *(_writing_line(scope, context, found) for scope in _scopes_with(found, "cud")),
        *_identity(found, context),
        *_time(every, context),
    ]
    return tuple(replace(line, number=number) for number, line in enumerate(lines, start=1))


def duration(seconds: int) -> str:
    """A length of time in words."""
    if seconds < 60:
        return words.SECONDS.format(count=seconds)
    minutes = seconds // 60
    return words.ONE_MINUTE if minutes == 1 else words.MINUTES.format(count=minutes)


def _scopes_with(scopes: Iterable[Scope], actions: str) -> list[Scope]:
    """The part of the scopes that needs these letters, merged, in the order of the words' table."""
    parts = []
    for scope in scopes:
        wanted = scope.actions & set(actions)
        if wanted and scope.context in words.SEE:
            name = f"{scope.context}/{scope.resource}.{action_letters(wanted)}" + "".join(scope.name.partition("?")[1:])
            parts.append(Scope(name, scope.context, scope.resource, frozenset(wanted), scope.query))
    return sorted(shortest_form(parts), key=_sort_key)


def _sort_key(scope: Scope) -> tuple[int, int, str, str]:
    place = list(words.TYPES).index(scope.resource) if scope.resource in words.TYPES else len(words.TYPES)
    wildcard = scope.resource == "*"
    return (
        list(words.SEE).index(scope.context),
        len(words.TYPES) + 1 if wildcard else place,
        scope.resource,
        scope.name,
    )


def _kind(scope: Scope, context: ConsentContext, *, changed: bool = False) -> tuple[str, str, str]:
    """Plain name of the type, a hint, and the words of the standard that stay visible as such."""
    if scope.resource in words.TYPES:
        subject = words.SUBJECT_ANYBODY if scope.context == "user" else context.subject or words.SUBJECT_OWN
        text, hint, strong = context.fill(words.TYPES[scope.resource], subject=subject), "", ""
        text = text[:1].lower() + text[1:] if changed else text
    else:
        strong = _type_words(scope.resource)
        unknown = words.UNKNOWN_TYPE_CHANGED if changed else words.UNKNOWN_TYPE
        text, hint = context.fill(unknown, type=strong), words.UNKNOWN_TYPE_HINT
    if scope.query:
        text, hint = _restriction_words(scope.query, text, hint, context, changed=changed)
    return text, hint, strong


def _restriction_words(
    query: Query, text: str, hint: str, context: ConsentContext, *, changed: bool
) -> tuple[str, str]:
    """What is left of a type by a restriction: named where the kind has a name, else by its codes (SCP-10)."""
    named = [words.KINDS.get(code_of(value), "") for value in category_values(query)]
    if named and all(named):
        kinds = words.OR.join(named)
        return (kinds[:1].lower() + kinds[1:] if changed else kinds), hint
    codes = words.AND.join(words.OR.join(map(_code_words, values)) for _, values in query)
    return context.fill(words.PART, kind=text, codes=codes), words.PART_HINT


def _code_words(value: str) -> str:
    system, bar, code_ = value.rpartition("|")
    return words.CODE.replace("{code}", code_).replace("{system}", system) if bar else value


def _type_words(resource: str) -> str:
    return _WORD.sub(" ", resource).capitalize()


def _kinds(scope: Scope, context: ConsentContext) -> tuple[RecordKind, ...]:
    """What of a whole type, or of everything, can be allowed alone; the letters stay those that were asked."""
    acts = action_letters(scope.actions)
    if scope.query:
        return ()
    if scope.resource == "*":
        known = resource_types(context.version)
        parts = [(context.fill(text), name, "") for name, text in words.TYPES.items() if name in known]
    else:
        found = categories(context.version, scope.resource)
        parts = [(words.KINDS[code_of(value)], scope.resource, f"?category={value}") for value in found]
    return tuple(
        RecordKind(number, text, f"{scope.context}/{resource}.{acts}{restriction}")
        for number, (text, resource, restriction) in enumerate(parts, start=1)
    )


def _reading_line(scope: Scope, context: ConsentContext) -> ConsentLine:
    kinds = _kinds(scope, context)
    if scope.resource == "*" and not scope.query:
        text, hint = words.SEE_ALL[scope.context], words.SEE_ALL_HINT
        return ConsentLine(0, SEE, context.fill(text), context.fill(hint), (scope.name,), "", scope.resource, kinds)
    text, hint, strong = _kind(scope, context)
    hint = hint or (words.KIND_HINTS.get(scope.resource, "") if kinds else "")
    text = context.fill(words.SEE[scope.context], kind=text)
    return ConsentLine(0, SEE, _of_one(text, scope, context), hint, (scope.name,), strong, scope.resource, kinds)


def _of_one(text: str, scope: Scope, context: ConsentContext) -> str:
    """Told apart from what the person may see of everybody, where the page asks for both."""
    mixed = context.mixed and scope.context == "patient"
    return context.fill(words.IN_ONE_RECORD, sentence=text) if mixed else text


def _writing_line(scope: Scope, context: ConsentContext, all_scopes: Sequence[Scope]) -> ConsentLine:
    acts = action_letters(scope.actions)
    if scope.resource == "*" and not scope.query:
        text, hint = context.fill(words.CHANGE_ALL[acts], reach=context.fill(words.REACH[scope.context])), ""
    else:
        kind, hint, _ = _kind(scope, context, changed=True)
        text = context.fill(words.CHANGE[acts], kind=kind)
        text = context.fill(words.OF_EVERY_PATIENT, sentence=text) if scope.context == "user" else text
        text = _of_one(text, scope, context)
    hints = (
        words.ADD_HINT if acts == "c" else "",
        words.DELETE_HINT if "d" in acts else "",
        "" if _is_readable(scope, all_scopes) else words.BLIND_HINT,
        hint,
    )
    strong = next((word for word in words.DELETE if "d" in acts and word in text), "")
    return ConsentLine(0, CHANGE, text, " ".join(filter(None, hints)), (scope.name,), strong, scope.resource)


def _is_readable(scope: Scope, all_scopes: Sequence[Scope]) -> bool:
    wanted = Scope("", scope.context, scope.resource, frozenset("r"), scope.query)
    searched = Scope("", scope.context, scope.resource, frozenset("s"), scope.query)
    return any(held.covers(wanted) or held.covers(searched) for held in all_scopes)


def _identity(scopes: Sequence[Scope], context: ConsentContext) -> list[ConsentLine]:
    requested = [scope for scope in scopes if scope.short_name in ("openid", "fhirUser", "profile")]
    if not requested:
        return []
    if context.version == NO_FHIR:
        return _account(scopes)
    named = any(scope.short_name != "openid" for scope in requested)
    text = words.IDENTITY + (f": {context.role}" if context.role else "") if named else words.RECOGNISE
    return [ConsentLine(0, WHO, text, "", tuple(scope.short_name for scope in requested))]


def _account(scopes: Sequence[Scope]) -> list[ConsentLine]:
    """Of plain OpenID Connect, which is nothing without `openid` (OIDC Core §3.1.2.1)."""
    held = {scope.short_name for scope in scopes}
    more = [(words.ACCOUNT, "profile"), (words.EMAIL, "email")]
    recognised = ConsentLine(0, WHO, words.RECOGNISE, "", ("openid",), fixed=True)
    return [recognised, *(ConsentLine(0, WHO, text, "", (name,)) for text, name in more if name in held)]


def _time(scopes: Sequence[Scope], context: ConsentContext) -> list[ConsentLine]:
    held = {scope.short_name for scope in scopes}
    now = words.ONLY_NOW, context.fill(words.ONLY_NOW_HINT, duration=duration(context.seconds))
    if context.remembered_days:
        now = words.WHENEVER, context.fill(words.WHENEVER_HINT, days=str(context.remembered_days))
    choices = [
        ("offline_access", words.OFFLINE, f"{words.OFFLINE_HINT} {context.until}".rstrip()),
        ("online_access", words.ONLINE, words.ONLINE_HINT),
        ("", *now),
    ]
    return [
        ConsentLine(0, TIME, text, hint, (name,) if name else ())
        for name, text, hint in choices
        if name in held or not name
    ]
