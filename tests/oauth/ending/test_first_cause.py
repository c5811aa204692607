"""Why a token is dead is said in one place: operators, developers and the command read the same."""

import json
import re
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from accounts import clock
from oauth.ending.first_cause import first_cause, liveness_outcomes, token_with_cause
from oauth.ending.reasons import REASONS, EndedFor
from oauth.models import AccessToken, Seat
from smart.digests import random_token, sha256_hex
from smart.explanation import RuleOutcome, State
from smart.time_units import to_datetime
from smart.tokens.liveness import RULES, Dead
from tests.fixture_types import Issue, MakeClient
from tests.oauth.ending.test_first_reason import CAUSES, SECOND, old_token
from tests.operators.admin.conftest import Operator

# by which line of the specification the token is dead; its authorization has ended (LV-03) by all the others
LINES = {
    EndedFor.PERSON_ENDED: "LV-07", EndedFor.PERSON_SUSPENDED: "LV-06", EndedFor.CLIENT_ENDED: "LV-05",
    EndedFor.CLIENT_DISABLED: "LV-04", EndedFor.FHIR_SERVER_ENDED: "LV-08", EndedFor.TAMPERED: "LV-02",
    EndedFor.USED: "LV-02", "token by an operator": "LV-02", "token revoked": "LV-02", "superseded": "LV-09",
    "expired": "LV-10",
}  # fmt: skip


def cause_of(token: AccessToken, now: int) -> tuple[str, str, int]:
    cause = first_cause(token_with_cause(now=now, pk=token.pk))
    assert cause
    return cause.rule, f"{cause.what}.", cause.since


def words(html: str, opening: str, closing: str) -> str:
    """What a reader sees of a part of a page."""
    part = html.partition(opening)[2].partition(closing)[0]
    assert part, opening
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", part)).split())


def later_causes(first: str) -> list[str]:
    """One of each side, a token of its own and a new one in its place among them."""
    return [name for name in ("token revoked", EndedFor.PASSWORD_CHANGED, "superseded", "expired") if name != first]


@pytest.fixture
def operator(committed: None) -> Operator:
    return Operator()


@pytest.mark.requirement("AZ-25", "RV-08")
@pytest.mark.parametrize("first", CAUSES)
def test_the_cause_is_what_came_first_with_its_rule_and_time(
    make_client: MakeClient, other_fhir_server: Any, first: str
) -> None:
    now, (reason, begin) = clock.now(), CAUSES[first]
    for later in later_causes(first):
        token = old_token(make_client(), other_fhir_server, now)
        begin(token, now - 50 * SECOND)
        CAUSES[later][1](token, now - 20 * SECOND)

        expected = (LINES.get(first, "LV-03"), REASONS[reason].operator, now - 50 * SECOND)
        assert cause_of(token, now) == expected, f"then {later}"


@pytest.mark.requirement("AZ-25", "RV-08")
@pytest.mark.parametrize("first", CAUSES)
def test_the_page_of_operators_the_explanation_and_the_command_say_the_same(
    make_client: MakeClient, other_fhir_server: Any, operator: Operator, first: str
) -> None:
    now, (reason, begin) = clock.now(), CAUSES[first]
    token = old_token(make_client(), other_fhir_server, now)
    begin(token, now - 50 * SECOND)
    for later in later_causes(first):
        CAUSES[later][1](token, now - 20 * SECOND)

    text = random_token()
    AccessToken.objects.filter(pk=token.pk).update(digest=sha256_hex(text))
    life = operator.page(f"oauth/accesstoken/{token.pk}/change/")
    explained = operator.post("explain/", {"what": text}).content.decode().partition('<section id="verdict"')[2]
    out = StringIO()
    call_command("explain", text, "--json", stdout=out)
    printed = json.loads(out.getvalue())

    sentence = REASONS[reason].operator
    rules = words(explained, '<ul class="rules">', "</ul>")
    moment = re.findall(r'<time datetime="([^"]+)">', explained.partition('<p class="lead">')[2])[0]
    assert words(explained, '<p class="lead">', "</p>").startswith(f"{sentence} Since")
    assert words(life, '<p class="lead">', "</p>").endswith(sentence)
    assert moment in life.partition('<p class="lead">')[2].partition("</p>")[0]
    assert words(life, '<ul class="rules">', "</ul>").startswith(rules)
    (refused,) = re.findall(r"Refused: .*? (LV-\d\d)", rules)
    assert (printed["rule"], f"{printed['what']}.") == (refused, sentence) == (LINES.get(first, "LV-03"), sentence)


@pytest.mark.requirement("LV-01")
def test_a_live_token_keeps_every_rule(issue: Issue) -> None:
    now, digest = clock.now(), sha256_hex(issue()["access_token"])
    token = token_with_cause(now=now, digest=digest)

    assert first_cause(token) is None
    assert {outcome.state for outcome in liveness_outcomes(token, now=now)} == {State.PASSED}


@pytest.mark.requirement("LV-01", "AZ-25")
def test_of_a_dead_token_each_rule_says_what_became_of_it(make_client: MakeClient, other_fhir_server: Any) -> None:
    now = clock.now()
    token = old_token(make_client(), other_fhir_server, now)
    for name, ago in ((EndedFor.OPERATOR, 50), ("superseded", 40), ("expired", 20)):
        CAUSES[name][1](token, now - ago * SECOND)
    token = token_with_cause(now=now, pk=token.pk)

    issued, *outcomes = liveness_outcomes(token, now=now)

    def outcome(dead: Dead, state: State, *texts: Any, **facts: Any) -> RuleOutcome:
        return RuleOutcome(RULES[dead].rule, RULES[dead].sentence, state, *texts, **facts)

    before, _, *after = Dead
    expiry = f"used before {to_datetime(now - 20 * SECOND):%H:%M:%S} UTC"
    assert issued == RuleOutcome("LV-01", "We issued it, and it is whole", State.PASSED)
    assert outcomes == [
        outcome(before, State.PASSED),
        outcome(Dead.ENDED, State.REFUSED, "An operator ended it", since=now - 50 * SECOND, case="E107"),
        *(outcome(dead, State.NOT_REACHED) for dead in after[:-2]),
        outcome(
            Dead.SUPERSEDED,
            State.ALSO_TRUE,
            "A newer token has taken its place",
            "token 1 of its seat",
            "the newest one: token 2",
        ),
        outcome(Dead.EXPIRED, State.ALSO_TRUE, "Expired", "", expiry, since=now - 20 * SECOND),
    ]


@pytest.mark.requirement("LV-01", "AZ-25")
@pytest.mark.parametrize(
    ("keep", "newest"), [(1, "the newest one: token 2"), (2, "one of the newest 2: token 3")], ids=["one", "two"]
)
def test_a_token_that_lost_its_seat_says_its_number_and_the_newest(
    make_client: MakeClient, other_fhir_server: Any, keep: int, newest: str
) -> None:
    now = clock.now()
    token = old_token(make_client(tokens_to_keep=keep), other_fhir_server, now)
    Seat.objects.filter(pk=token.seat_id or 0).update(latest_number=1 + keep)

    outcomes = liveness_outcomes(token_with_cause(now=now, pk=token.pk), now=now)

    (refused,) = (each for each in outcomes if each.state is State.REFUSED)
    assert (refused.rule, refused.what) == ("LV-09", "A newer token took its place")
    assert (refused.presented, refused.expected, refused.since) == ("token 1 of its seat", newest, 0)
