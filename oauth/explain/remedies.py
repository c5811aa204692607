"""What to do about a refusal: a line for those who make the app or FHIR server, and one for operators."""

from django.conf import settings

from oauth.explain.judgement import Conclusion, Judgement
from smart.tokens.liveness import RULES, Dead

ASK_AGAIN = "In the app: start it again, so that its person is asked again."
_OF_THE_DEAD: dict[Dead, tuple[str, ...]] = {
    Dead.REVOKED: (ASK_AGAIN,),
    Dead.ENDED: (ASK_AGAIN,),
    Dead.CLIENT_DISABLED: ("For operators: enable the client, if it may work again.",),
    Dead.CLIENT_ENDED: (ASK_AGAIN,),
    Dead.PERSON_SUSPENDED: ("For operators: lift the suspension of the person, if it is over.",),
    Dead.PERSON_ENDED: (ASK_AGAIN,),
    Dead.FHIR_SERVER_ENDED: (ASK_AGAIN,),
    Dead.SUPERSEDED: (
        "In the app: keep only the token of the last answer. Two tabs that share a sign-in must share the token.",
        "For operators: where devices or workers side by side each need a token, let the client keep more of them, "
        "or supersede them in another way.",
    ),
    Dead.EXPIRED: ("In the app: refresh a token before it ends, and take a 401 as the sign to get a new one.",),
}
_OF_RULES = {dead_rule.rule: _OF_THE_DEAD[dead] for dead, dead_rule in RULES.items()}
_OF_REQUESTS = {
    "TV-03": ("A token must say when it ends: take one as this server issues it.",),
    "TV-22": ("A server that takes Bearer tokens alone refuses one that is bound to a key: take one without cnf.",),
    "TV-07": ("Send it to the FHIR server that it was asked for, or ask for one with this server as aud.",),
    "TV-20": (
        "Ask for the scope when the app starts; the person must allow it.",
        "If the app did ask, the person left it out. People may; the app should work with what it has.",
    ),
    "SR-08": ("Leave these parameters out, or search the other records by themselves and put the results together.",),
    "PC-02": (
        "Ask for the record of the patient in context.",
        "A record that the token does not reach is answered as if it did not exist.",
    ),
    "PC-20": (
        "Ask for launch/patient, or be launched with a patient, where the scopes are of a patient.",
        "For operators: for scopes of a user, name the patients of the person at this FHIR server.",
    ),
    "SCP-08": ("Ask for a type that this FHIR version has, by an interaction of FHIR: no scope opens another one.",),
}
_OF_FORGED = (
    "A FHIR server that lets it in does not verify enough, or does not ask here.",
    "Look where it comes from: this server hands out no such token, but /dev/tokens of a development server does.",
)
_OF_CONCLUSIONS = {
    Conclusion.CHANGED: ("Send a token as it came, to the last character.",),
    Conclusion.NOT_OURS: ("Ask those who issued it. A FHIR server takes tokens from the issuer that it trusts alone.",),
    Conclusion.NEITHER: ("Give an access token, or a reference such as 7F3K-29QD.",),
}


# of a caller that did not prove who it is, or may not ask: by the row of bad input, else by the rule
_OF_CALLERS = {
    "E44": ("Send a POST with the parameters as a form in its body.",),
    "E50": (
        "Send client id and secret by Basic, as they were shown when the client was made; a public app its client_id.",
    ),
    "E51": (
        "Compare the client id to the letter: `fhir-server list` and `client list` name all, and so does the admin.",
    ),
    "E52": (
        "Compare the secret to the letter with the one that was shown when it was made: nobody can read it again.",
        "If it is lost, draw another one: `fhir-server new-secret URL` for a FHIR server, `client rotate-secret ID` "
        "for an app, or the admin.",
    ),
    "E53": ("Send the header `Authorization: Basic` with base64 of client_id:client_secret, and nothing else in it.",),
    "E54": ("Prove the client in one way only: by Basic, in the body, or by an assertion.",),
    "E56": ("Prove the client by the method that it is registered with, or register another method in the admin.",),
    "LV-04": ("For operators: enable the client, if it may work again.",),
    "RG-08": ("Send the newer secret. If nobody has it, draw another one.",),
    "IN-07": (
        "Ask with the client of the FHIR server that the token is for: `fhir-server list` names it.",
        "If the token was to be for another FHIR server, the app asks for it with that base as aud.",
    ),
    "IN-08": ("Send the access token. The refresh token is for the app and this server alone.",),
    "PR-06": (
        "In the app: start it again where it is now, so that its person signs in there.",
        "For operators: the address policy of client and FHIR server says what happens at another address.",
    ),
}


def caller_remedies(rule: str, case: str) -> tuple[str, ...]:
    """The next step or two for who called a machines' endpoint and was refused, or heard that a token is not active."""
    return _OF_CALLERS.get(case) or _OF_CALLERS.get(rule) or _OF_RULES.get(rule, ())


def remedies(judgement: Judgement) -> tuple[str, ...]:
    """The next step or two; none where nothing is wrong."""
    rule = judgement.explanation.rule if judgement.explanation else ""
    if judgement.conclusion is Conclusion.NOT_OURS and judgement.issuer == settings.SMARTAUTH_ISSUER:
        return _OF_FORGED
    if judgement.conclusion is Conclusion.DEAD:
        return _OF_RULES.get(rule, ())
    if judgement.conclusion is Conclusion.REQUEST_REFUSED:
        return _OF_REQUESTS.get(rule, ())
    return _OF_CONCLUSIONS.get(judgement.conclusion, ())
