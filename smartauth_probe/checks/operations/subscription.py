"""Subscriptions, by which a server sends records on its own (FHIR Subscriptions)."""

from smartauth_probe.checks.check import Result, passed, policy, worst
from smartauth_probe.checks.judging import must_lack_scope
from smartauth_probe.checks.operations.section import PEOPLE, SECTION
from smartauth_probe.checks.writes.copies import copies
from smartauth_probe.target.answer import Json
from smartauth_probe.target.probe import WIDEST, Probe

FIX = "Demand a scope for Subscription, and send what the token of its maker may read, for as long as it may."
SOURCE = "FHIR Subscription"


ENDPOINT = "https://subscriber.example/"


def _subscription(probe: Probe) -> Json:
    """For everybody's results; "off", so that nothing is sent."""
    named = {"resourceType": "Subscription", "status": "off", "reason": "probe"}
    if probe.facts.version == "R5":
        channel_type = {
            "system": "http://terminology.hl7.org/CodeSystem/subscription-channel-type",
            "code": "rest-hook",
        }
        topic = "https://smartauth.example/probe/observations"
        return {**named, "topic": topic, "channelType": channel_type, "endpoint": ENDPOINT}
    channel = {"type": "rest-hook", "endpoint": ENDPOINT, "payload": probe.facts.accept}
    return {**named, "criteria": "Observation?", "channel": channel}


@SECTION.check(
    "FO-07",
    "subscription-without-scope",
    title="A subscription takes a scope of its own",
    headline="A subscription is made for an app that may only read",
    why=f"It is made once, and the server then sends records to any address. {PEOPLE}",
    fix=FIX,
    source=SOURCE,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        scopes = ("patient/*.rs", "patient/Observation.cruds")
        answers = [(scope, made.post(_subscription(probe), probe.token(scope))) for scope in scopes]
        return worst(*(must_lack_scope(answer, f"a subscription with {scope}") for scope, answer in answers))


@SECTION.check(
    "FO-07",
    "subscription-of-all",
    title="Whether the app of one patient may subscribe to everybody's results is known",
    headline="The app of one patient subscribes to everybody's results",
    why=f"Its criteria name no patient, and the server may send what they find. {PEOPLE}",
    fix=FIX,
    source=SOURCE,
    usual="Most servers refuse subscriptions to patient/ scopes.",
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        answer = made.post(_subscription(probe), probe.token(WIDEST))
        if answer.is_ok:
            return policy("It is taken: see that it sends what its maker may read, and ends with the token.")
        return passed(f"{answer}.")
