"""What a reference of an error page, an event or the header X-Smartauth-Reason is answered with (AZ-25)."""

from accounts.models import User
from oauth.explain.answer import Answer, Fact, Tag
from oauth.explain.references import FoundRefusal
from oauth.explain.remedies import caller_remedies
from oauth.models import Client, FhirServer, public_reference
from smart.authorize.error_pages import ERROR_PAGES
from smart.authorize.redirection_rules import REDIRECTION_RULES
from smart.authorize.rules import RULES
from smart.authorize.unvalidated_request import Rule
from smart.explanation import Explanation, RuleOutcome, State

NOTHING_KEPT = (
    "No event is kept under this reference. It may be mistyped or of another server; of many equal refusals "
    "only the first ones are kept; or the trail was cut since then."
)
_AUTHORIZE = (*REDIRECTION_RULES, *RULES)


def reference_answer(found: FoundRefusal | None, number: int) -> Answer:
    """The answer for what is kept under that reference, None for nothing."""
    name = public_reference(number)
    if found is None:
        title, tags = f"Nothing is kept under {name}", (Tag("warn", "Not kept"),)
        return Answer(title=title, heading=f"Reference {name}", lead=NOTHING_KEPT, tags=tags)
    why, client = found.explanation, _client(found)
    return Answer(
        title=f"Refused: {why.what}",
        heading=f"Reference {name}",
        tags=(Tag("bad", " ".join(_ids(why)) or "Refused"),),
        lead=_sentence(why.what),
        since=why.since,
        presented=(why.presented,) if why.presented else (),
        expected=(why.expected,) if why.expected else _registered_values(why.rule, client),
        facts_title="The request",
        facts=(*_facts(found, client), *_token_facts(found)),
        outcomes=authorize_outcomes(why),
        response_in_words=_response_in_words(why),
        advice=advice(why),
        history=found.events,
    )


def authorize_outcomes(why: Explanation) -> tuple[RuleOutcome, ...]:
    """The rules of the authorization endpoint up to the one that refused; of any other rule it alone."""
    place = next((at for at, rule in enumerate(_AUTHORIZE) if _is_of(why, rule.rule, rule.cases)), None)
    if place is None:
        return (_refused_outcome(why, why.what),) if why.rule else ()
    passed = [_outcome(rule, State.PASSED) for rule in _AUTHORIZE[:place]]
    later = [_outcome(rule, State.NOT_REACHED) for rule in _AUTHORIZE[place + 1 :]]
    return (*passed, _refused_outcome(why, _AUTHORIZE[place].sentence.removesuffix(".")), *later)


def _outcome(rule: Rule, state: State) -> RuleOutcome:
    return RuleOutcome(rule.rule, rule.sentence.removesuffix("."), state)


def _is_of(why: Explanation, rule: str, cases: str) -> bool:
    return why.rule == rule and why.case in cases.split()


def _refused_outcome(why: Explanation, sentence: str) -> RuleOutcome:
    return RuleOutcome(why.rule, sentence, State.REFUSED, presented=why.presented, expected=why.expected, case=why.case)


def _ids(why: Explanation) -> tuple[str, ...]:
    return tuple(part for part in (why.rule, why.case) if part)


def _sentence(text: str) -> str:
    first = text.partition(" ")[0]
    return f"{text[:1].upper() if first.isalpha() else text[:1]}{text[1:].removesuffix('.')}."


def _client(found: FoundRefusal) -> Client | None:
    return Client.of(found.event.client) if found.event and found.event.client else None


def _registered_values(rule: str, client: Client | None) -> tuple[str, ...]:
    """What the client might have sent instead, as it is registered today."""
    if client is None:
        return ()
    if rule == "AZ-05":
        return tuple(client.redirect_uris.split())
    if rule == "AZ-08":
        return tuple(client.fhir_servers.order_by("pk").values_list("base", flat=True))
    return (client.scope,) if rule == "SCP-06" else ()


def _facts(found: FoundRefusal, client: Client | None) -> tuple[Fact, ...]:
    event = found.event
    if event is None:
        return ()
    person = User.objects.get_queryset().filter(subject=event.person).first() if event.person else None
    server = FhirServer.of(event.fhir_server)
    facts = (
        Fact("Client", event.client or "none named", bool(event.client), "oauth_client", client.pk if client else None),
        Fact("Person", str(person or "nobody had signed in"), False, "accounts_user", person.pk if person else None),
        Fact("FHIR server (aud)", event.fhir_server, True, "oauth_fhirserver", server.pk if server else None),
        Fact("From", event.address),
    )
    return tuple(fact for fact in facts if fact.text)


def _token_facts(found: FoundRefusal) -> tuple[Fact, ...]:
    """Somebody who typed the number of a token finds it here."""
    if found.token is None:
        return ()
    verdict, key = found.token.conclusion.value, found.token.token.pk
    return (Fact("Token of this number", verdict, table="oauth_accesstoken", key=key),)


def _response_in_words(why: Explanation) -> str:
    """What came back, as far as case and rule say it."""
    page = ERROR_PAGES.get(why.case)
    if page is None or page.rule != why.rule:
        return ""
    if why.case == "E39" and not why.what.startswith(("state ", "the request ")):
        return ""  # the same limit, of a parameter whose refusal goes to the app
    return f"A page with status {page.status.value}, and no redirect: {page.message.replace('{app}', 'The app')}"


def advice(why: Explanation) -> tuple[str, ...]:
    """What its makers should do about it."""
    page = ERROR_PAGES.get(why.case)
    if page and page.rule == why.rule:
        return (page.fix,) if page.fix else ()
    return caller_remedies(why.rule, why.case)
