"""`manage.py explain`: why something was refused, by its reference or by a token; nothing is sent or changed."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from accounts import clock
from oauth.explain.judgement import Conclusion, Judgement, judge_token
from oauth.explain.reference_answer import advice
from oauth.explain.reference_subject import reference_subject
from oauth.explain.references import FoundRefusal
from oauth.explain.remedies import remedies
from oauth.management.verb_command import VerbCommand
from oauth.management.verbs.tokens import EXPLAIN
from oauth.models import parse_reference, public_reference
from smart.decisions.fhir_request import UnreadableRequest
from smart.explanation import Explanation, RuleOutcome, State
from smart.time_units import to_datetime

NOT_KEPT = "Nothing is kept under {reference}. It may be mistyped, of another server, or too old."
WITH_REQUEST = "Add the request that it was sent with, and it is judged too: {command} explain TOKEN GET URL"
_SIGNS = {State.PASSED: "passed", State.REFUSED: "REFUSED", State.NOT_REACHED: "-", State.ALSO_TRUE: "also true"}


class Command(VerbCommand):
    """The pages /explain and, for operators, the admin judge the same."""

    verb = EXPLAIN

    def handle(self, *, what: str, request: list[str], **options: Any) -> None:
        text = sys.stdin.readline().strip() if what == "-" else what.strip()
        if not text:
            command = f"{settings.SMARTAUTH_COMMAND} explain -"
            raise CommandError(f"Nothing came. Give a token or a reference: echo $TOKEN | {command}")
        number = parse_reference(text)
        found = _about_reference(number) if number is not None else _about_pasted_token(text, " ".join(request))
        self.stdout.write(json.dumps(found, indent=2) if options["json"] else _lines(found))


def _about_reference(number: int) -> dict[str, Any]:
    """What is kept under a reference, and the token that has this number."""
    reference, found = public_reference(number), reference_subject(number, now=clock.now())
    if found is None:
        raise CommandError(NOT_KEPT.format(reference=reference))
    if isinstance(found, Judgement):
        return _about_token(found)
    token = {"token_of_this_number": found.token.conclusion.value} if found.token else {}
    steps = {"next": list(advice(found.explanation))}
    return {"reference": reference, **_why(found.explanation), **token, "events": _events(found), **steps}


def _events(found: FoundRefusal) -> list[dict[str, Any]]:
    return [
        {"at": _moment(event.at), "kind": event.kind, "client": event.client, "reason": event.reason}
        for event in found.events
    ]


def _about_pasted_token(token: str, request: str) -> dict[str, Any]:
    try:
        found = _about_token(judgement := judge_token(token, request, now=clock.now()))
    except UnreadableRequest as problem:
        raise CommandError(f"The request cannot be read: {problem}.") from None
    if judgement.conclusion is Conclusion.ALIVE and not request:
        found["next"] = [WITH_REQUEST.format(command=settings.SMARTAUTH_COMMAND)]
    return found


def _about_token(judgement: Judgement) -> dict[str, Any]:
    """What is to be said of a token; never the token."""
    row = judgement.token
    return {
        "verdict": judgement.conclusion.value,
        **(_why(judgement.explanation) if judgement.explanation else {}),
        **({"token": public_reference(row.pk)} if row else {}),
        **({"issuer": judgement.issuer} if judgement.issuer else {}),
        **_answer(judgement),
        "rules": [_rule(outcome) for outcome in judgement.outcomes],
        "next": list(remedies(judgement)),
    }


def _answer(judgement: Judgement) -> dict[str, Any]:
    if not judgement.status:
        return {}
    about = {name.lower(): value for name, value in judgement.facts}
    return {"request": about, "status": int(judgement.status), "www_authenticate": judgement.challenge}


def _why(explanation: Explanation) -> dict[str, Any]:
    found = {name: value for name, value in asdict(explanation).items() if value and name != "reference"}
    return {**found, **({"since": _moment(explanation.since)} if explanation.since else {})}


def _rule(outcome: RuleOutcome) -> dict[str, Any]:
    found = {name: value for name, value in asdict(outcome).items() if value and name != "case"}
    return {**found, **({"since": _moment(outcome.since)} if outcome.since else {})}


def _moment(at: int) -> str:
    return f"{to_datetime(at):%Y-%m-%d %H:%M:%S} UTC"


def _lines(found: dict[str, Any]) -> str:
    """The same for a reader: the verdict, the rules, what to do."""
    said = {name: value for name, value in found.items() if isinstance(value, str | int) and value}
    head = [f"{name.replace('_', ' ')}: {value}" for name, value in said.items()]
    asked = [f"{name}: {value}" for name, value in found.get("request", {}).items()]
    rules = [_rule_line(rule) for rule in found.get("rules", ())]
    events = [" ".join(filter(None, event.values())) for event in found.get("events", ())]
    steps = [f"next: {step}" for step in found.get("next", ())]
    return "\n".join([*head, *asked, *rules, *events, *steps])


def _rule_line(rule: dict[str, Any]) -> str:
    more = "; ".join(f"{name}: {rule[name]}" for name in ("presented", "expected", "since") if name in rule)
    line = f"  {_SIGNS[rule['state']]:9} {rule['rule']:6} {rule.get('what', rule['sentence'])}"
    return f"{line} ({more})" if more else line
