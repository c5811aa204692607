"""Commands about clients and FHIR servers, and the seed file with all of them."""

from pathlib import Path

from oauth.management.verb import AS_JSON, Argument, Verb
from smart.fhir.versions import FHIR_VERSIONS
from smart.tokens.address_binding import BLOCK, END, FLAG, OFF
from smart.tokens.claim_profiles import CUSTOM, profiles

CLIENT_ID = Argument("client_id")
URL = Argument("url", "The FHIR base: the aud of its tokens.")
ENV = Argument("--env", "Print lines that a shell can read, nothing else.", is_flag=True)

ADD_CLIENT = Verb(
    "add",
    "Register a client. A secret is drawn and shown once. Everything else that a client can be: a seed file.",
    (
        CLIENT_ID,
        Argument("--name", "As people read it when they decide.", is_required=True),
        Argument("--maker", "Who makes it."),
        Argument("--authentication", "Its proof.", choices=("none", "secret", "keys"), default="none"),
        Argument("--jwks-file", "Its public keys, with --authentication keys.", "FILE"),
        Argument("--jwks-uri", "Where it publishes them.", "URL"),
        Argument("--grant", "Repeatable; default: authorization_code.", "TYPE", is_repeatable=True),
        Argument("--scope", "Scopes it may ask, separated by spaces."),
        Argument("--fhir-server", "A FHIR base that it may reach; repeatable.", "URL", is_repeatable=True),
        Argument("--redirect-uri", "Complete, as the app sends it; repeatable.", "URL", is_repeatable=True),
        Argument("--launch-url", "Where an EHR opens it; repeatable.", "URL", is_repeatable=True),
        Argument("--native", "It runs on a device, so loopback redirects may be http.", is_flag=True),
        AS_JSON,
    ),
    examples=(
        "smartauth client add growth-chart --name 'Growth Chart' --redirect-uri http://127.0.0.1:4999/cb \\",
        "    --scope 'launch/patient patient/*.rs' --fhir-server http://127.0.0.1:8000/fhir/r4",
        "smartauth client add nightly --name Nightly --authentication keys --jwks-file keys.json \\",
        "    --grant client_credentials --scope system/Observation.rs --fhir-server https://fhir.example.org/r4",
    ),
)
CLIENT = Verb(
    "client",
    "Apps and services that ask for tokens.",
    actions=(
        ADD_CLIENT,
        Verb("list", "Print a line for each client.", (AS_JSON,)),
        Verb(
            "rotate-secret",
            "Draw another secret and show it once; the old one works for SMARTAUTH_OLD_SECRET_SECONDS more. "
            "For the client that a FHIR server introspects with: `fhir-server new-secret`.",
            (CLIENT_ID, AS_JSON),
            examples=("smartauth client rotate-secret growth-chart",),
        ),
        Verb("disable", "Refuse a client at every endpoint from now on, and end all its access.", (CLIENT_ID, AS_JSON)),
        Verb("enable", "Let a disabled client ask again. What ended stays ended.", (CLIENT_ID, AS_JSON)),
    ),
)

ADD_FHIR_SERVER = Verb(
    "add",
    "Protect a FHIR server: its row, the client that it introspects with, and what to serve.",
    (
        URL,
        Argument("--name", "As people know it; default: the URL."),
        Argument("--version", choices=tuple(FHIR_VERSIONS), default="r4", dest="fhir_version"),
        Argument("--policy", "At a new address.", choices=(OFF, FLAG, BLOCK, END), default=FLAG),
        Argument("--claims", "In whose words tokens speak.", choices=(*profiles(), CUSTOM), default="smart"),
        Argument("--claim-mapping", "JSON, the mapping of --claims custom.", "FILE", Path),
        Argument("--v1-equivalents", "Introspection names v2 scopes in v1 too.", is_flag=True),
        Argument("--tells-addresses", "Believe the __client_ip that it reports.", is_flag=True),
        Argument("--client", "An app that may ask for its tokens; repeatable.", "ID", is_repeatable=True),
        Argument("--new-secret", "Another secret where there is one; both work a while.", is_flag=True),
        ENV,
        AS_JSON,
    ),
    examples=(
        "smartauth fhir-server add https://fhir.example.org/r4 --name 'Example Hospital' --client growth-chart",
        'eval "$(smartauth fhir-server add http://127.0.0.1:9000/fhir --client demo-public --env)"',
    ),
)
FHIR_SERVER = Verb(
    "fhir-server",
    "FHIR servers of your own that are protected.",
    actions=(
        ADD_FHIR_SERVER,
        Verb("list", "Print a line for each FHIR server with its resource servers and apps.", (AS_JSON,)),
        Verb(
            "new-secret",
            "Draw another secret for a protected FHIR server; both work a while. "
            "For other clients: `client rotate-secret`.",
            (URL, ENV, AS_JSON),
            examples=("smartauth fhir-server new-secret https://fhir.example.org/r4",),
        ),
    ),
)

SEED = Verb(
    "seed",
    "Bring people, clients and FHIR servers to what a seed file says. Running it again changes nothing.",
    (
        Argument("file", type=Path),
        Argument("--json", "Print JSON: changes, warnings, drawn secrets.", is_flag=True),
    ),
    examples=("smartauth seed example.yaml", "smartauth seed example.yaml --json"),
)
