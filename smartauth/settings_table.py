"""Every setting: what it takes, its default, what is unsafe. The settings, what refuses to start, and docs/settings.md
are made from these rows; nothing here needs Django."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from smart.clients.redirect_uris import LOOPBACK_HOSTS
from smart.tokens.lifetimes import ACCESS_TOKEN_BOUND, CODE_BOUND, LAUNCH_BOUND
from smart.tokens.refresh import GRACE_BOUND
from smartauth import setting_kinds as kinds
from smartauth.data_folder import is_open_to_others
from smartauth.database_url import is_same_database
from smartauth.resources import usual_data_folder
from smartauth.setting_kinds import Kind, Network, decimal, whole, word

T = TypeVar("T")
DAY, YEAR = 86_400, 365 * 86_400
DEFAULT_PORT = 8000
VAR = usual_data_folder()
DEMO_SECRET = "demo-resource-server-secret"  # noqa: S105  # public by intention
_DRAWN = "drawn at the first start, kept in the data folder"
_DRAW = "Draw it with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"


class Values:
    """The value of each setting."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def __getitem__(self, setting: "Setting[T]") -> T:
        value: T = self._values[setting.name]
        return value

    def __setitem__(self, setting: "Setting[T]", value: T) -> None:
        self._values[setting.name] = value


@dataclass(frozen=True)
class Rule:
    """What is unsafe, and whether these values are. Where nobody can tell, `is_broken` is None and the docs say so."""

    unsafe: str
    is_broken: Callable[[Values], bool] | None = None
    advice: str = ""


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One environment variable. A default that depends on other settings is a function of the rows above."""

    name: str
    kind: Kind[T]
    default: T | Callable[[Values], T]
    text: str
    rules: tuple[Rule, ...] = ()
    default_text: str = ""

    @property
    def may_be_secret(self) -> bool:
        """Such a value is never shown, and may stand in a file that NAME_FILE names (smartauth/environment.py)."""
        return not self.kind.shown

    def default_value(self, values: Values) -> T:
        return self.default(values) if callable(self.default) else self.default


def is_on_loopback(origin: str) -> bool:
    """Whether only this machine reaches the address."""
    return urlsplit(origin).hostname in LOOPBACK_HOSTS


def default_data_folder(port: int) -> Path:
    """One for each port: a second development server leaves the data of the first alone."""
    return VAR if port == DEFAULT_PORT else VAR / str(port)


# Where the server is and what it is called ----------------------------------------------------------------------------
PORT = Setting("SMARTAUTH_PORT", whole(1, 65_535), DEFAULT_PORT, "Port of `make run`, on 127.0.0.1 only")
ISSUER: Setting[str] = Setting(
    "SMARTAUTH_ISSUER",
    kinds.ORIGIN,
    lambda values: f"http://127.0.0.1:{values[PORT]}",
    "Who signs the tokens, and the address at which people and apps find the server. Never taken from a request",
    (
        Rule(
            "http outside loopback",
            lambda values: not values[ISSUER].startswith("https://") and not is_on_loopback(values[ISSUER]),
        ),
    ),
)
DEV: Setting[bool] = Setting(
    "SMARTAUTH_DEV",
    kinds.FLAG,
    lambda values: is_on_loopback(values[ISSUER]),
    "Development: demo data, the token command, explanations of refusals. On by itself when the issuer is on loopback",
    (
        Rule(
            "true outside loopback, because the demo's passwords are public",
            lambda values: values[DEV] and not is_on_loopback(values[ISSUER]),
        ),
    ),
)
DEV_NETWORKS: Setting[tuple[Network, ...]] = Setting(
    "SMARTAUTH_DEV_NETWORKS",
    kinds.NETWORKS,
    (),
    "Networks whose machines a development server answers beside its own, such as that of its containers "
    "(`172.16.0.0/12`). Everybody there can sign in with the public passwords",
    default_text="loopback only",
)
ALLOWED_HOSTS: Setting[list[str]] = Setting(
    "SMARTAUTH_ALLOWED_HOSTS",
    kinds.HOST_NAMES,
    [],
    "Further host names under which requests may arrive, beside the issuer's (and loopback in development), such as a "
    "name inside a container network. Never `*`: a foreign page could reach a development server by DNS rebinding",
    default_text="none",
)
DATA_DIR: Setting[Path] = Setting(
    "SMARTAUTH_DATA_DIR",
    kinds.FOLDER,
    lambda values: default_data_folder(values[PORT]),
    "Folder for SQLite files, drawn secrets, the file broker, static files",
    (
        Rule(
            "open to other accounts of the machine", lambda values: is_open_to_others(values[DATA_DIR]), "chmod 700 it."
        ),
    ),
    default_text="`var` in the project's folder; installed, `smartauth` in `$XDG_DATA_HOME` (`~/.local/share`); with "
    "another port than 8000 the folder `PORT` in it",
)
STATIC_DIR: Setting[Path] = Setting(
    "SMARTAUTH_STATIC_DIR",
    kinds.FOLDER,
    lambda values: values[DATA_DIR] / "static",
    "Folder into which `collectstatic` copies styles and scripts, and from which they are served; of the image a part, "
    "so that nothing has to be written at a start",
    default_text="`static` in the data folder",
)

# Secrets --------------------------------------------------------------------------------------------------------------
SECRET_KEY: Setting[str] = Setting(
    "SMARTAUTH_SECRET_KEY",
    kinds.SECRET,
    "",
    "Signs sessions and form tokens",
    (
        Rule("not set outside development", lambda values: not values[DEV] and not values[SECRET_KEY], _DRAW),
        Rule("shared with another server"),
    ),
    default_text=_DRAWN,
)
KEY_ENCRYPTION_KEYS: Setting[list[str]] = Setting(
    "SMARTAUTH_KEY_ENCRYPTION_KEYS",
    kinds.FERNET_KEYS,
    [],
    "Fernet keys that encrypt the private signing keys, separated by commas: the first encrypts, all decrypt",
    (
        Rule("not set outside development", lambda values: not values[DEV] and not values[KEY_ENCRYPTION_KEYS], _DRAW),
        Rule("kept beside the database's backups"),
    ),
    default_text=_DRAWN,
)

# Databases and broker -------------------------------------------------------------------------------------------------
DATABASE_URL = Setting(
    "SMARTAUTH_DATABASE_URL",
    kinds.POSTGRESQL,
    "",
    "Main database, such as `postgresql://user:password@host/name`",
    (Rule("SQLite with more than one machine"),),
    default_text="an SQLite file in the data folder",
)
AUDIT_DATABASE_URL: Setting[str] = Setting(
    "SMARTAUTH_AUDIT_DATABASE_URL",
    kinds.POSTGRESQL,
    "",
    "Audit database, a second one",
    (
        Rule(
            "the main database",
            lambda values: is_same_database(values[DATABASE_URL], values[AUDIT_DATABASE_URL]),
            "The trail needs a database of its own.",
        ),
    ),
    default_text="an SQLite file in the data folder",
)
DATABASE_POOL_MODE = Setting(
    "SMARTAUTH_DATABASE_POOL_MODE",
    word("none", "session", "transaction"),
    "none",
    "`pool_mode` of the PgBouncer that the database URLs lead to. With `transaction` no statement is prepared and "
    "nothing is set for longer than a transaction",
)
REDIS_URL = Setting(
    "SMARTAUTH_REDIS_URL",
    kinds.REDIS,
    "",
    "Broker of the task worker, such as `redis://host:6379/0`",
    (Rule("files with more than one machine"),),
    default_text="files in the data folder",
)

# Tokens and codes -----------------------------------------------------------------------------------------------------
ACCESS_TOKEN_SECONDS: Setting[int] = Setting(
    "SMARTAUTH_ACCESS_TOKEN_SECONDS",
    whole(1, ACCESS_TOKEN_BOUND, "seconds"),
    300,
    "Life of an access token where neither the client nor the FHIR server says less",
    (
        Rule(
            "above `SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS`",
            lambda values: values[ACCESS_TOKEN_SECONDS] > values[ACCESS_TOKEN_MAX_SECONDS],
        ),
    ),
)
ACCESS_TOKEN_MAX_SECONDS: Setting[int] = Setting(
    "SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS",
    whole(1, ACCESS_TOKEN_BOUND, "seconds"),
    ACCESS_TOKEN_BOUND,
    "No access token lives longer, whatever else is configured",
)
REFRESH_IDLE_SECONDS = Setting(
    "SMARTAUTH_REFRESH_IDLE_SECONDS",
    whole(1, 10 * YEAR, "seconds"),
    92 * DAY,
    "How long a refresh token may lie unused; each refresh starts the time again. 92 days, the longest three months",
    (Rule("below 7948800: certification asks for three months"),),
)
REFRESH_TOKEN_SECONDS = Setting(
    "SMARTAUTH_REFRESH_TOKEN_SECONDS",
    whole(1, 10 * YEAR, "seconds"),
    92 * DAY,
    "How long after the launch a public app in a browser may refresh at all. Confidential and native apps have no such "
    "limit unless the client's `refresh_token_seconds` sets one",
)
REFRESH_GRACE_SECONDS = Setting(
    "SMARTAUTH_REFRESH_GRACE_SECONDS",
    whole(0, GRACE_BOUND, "seconds"),
    0,
    "For how long the refresh token just used may be repeated and gets the same answer, for apps that lose answers",
)
CODE_SECONDS = Setting("SMARTAUTH_CODE_SECONDS", whole(1, CODE_BOUND, "seconds"), 60, "Life of an authorization code")
PENDING_REQUEST_SECONDS = Setting(
    "SMARTAUTH_PENDING_REQUEST_SECONDS",
    whole(30, DAY, "seconds"),
    600,
    "How long an app's request waits for a person to sign in and decide",
)
PENDING_REQUESTS = Setting(
    "SMARTAUTH_PENDING_REQUESTS",
    whole(1, 100_000),
    1000,
    "How many authorization requests of one address (of IPv6 one /64) may wait at once, with those that ended without "
    "a sign-in; more are answered with `temporarily_unavailable`. Higher where a whole clinic comes from one address",
    (Rule("very large: strangers fill the database"),),
)
LAUNCH_SECONDS = Setting(
    "SMARTAUTH_LAUNCH_SECONDS", whole(1, LAUNCH_BOUND, "seconds"), 300, "How long an EHR launch waits for its app"
)
NEED_PATIENT_BANNER = Setting(
    "SMARTAUTH_NEED_PATIENT_BANNER",
    kinds.FLAG,
    True,
    "`need_patient_banner` of a launch whose EHR does not say it: whether apps must show the patient's name themselves",
    (Rule("false where the EHR shows no name: records are taken for another patient's"),),
)
STYLE_URL: Setting[str] = Setting(
    "SMARTAUTH_STYLE_URL",
    kinds.ADDRESS,
    "",
    "`smart_style_url` of a launch whose EHR does not say it: the look that apps should take on",
    (
        Rule(
            "http outside development",
            lambda values: not values[DEV] and values[STYLE_URL].startswith("http:"),
        ),
    ),
    default_text="the document of this server, `/o/style/{name}.json`",
)
TOKEN_SECRET_IN_BODY = Setting(
    "SMARTAUTH_TOKEN_SECRET_IN_BODY",
    kinds.FLAG,
    False,
    "Whether the token endpoint accepts `client_secret` in the body (`client_secret_post`); introspection and "
    "revocation always do",
)
OLD_SECRET_SECONDS = Setting(
    "SMARTAUTH_OLD_SECRET_SECONDS",
    whole(0, YEAR, "seconds"),
    DAY,
    "How long the old secret of a client works after a rotation in the admin",
    (Rule("very long: a leaked secret stays good"),),
)
KEY_ROTATION_DAYS = Setting(
    "SMARTAUTH_KEY_ROTATION_DAYS",
    whole(0, 3650, "days"),
    90,
    "After how many days another key signs tokens; 0: never by itself ([how](how-to/rotate-keys.md))",
)
KEY_ANNOUNCED_SECONDS: Setting[int] = Setting(
    "SMARTAUTH_KEY_ANNOUNCED_SECONDS",
    whole(0, 30 * DAY, "seconds"),
    3600,
    "For how long a key must have been published before it may sign, so that everybody who keeps a copy of the keys "
    "has it by then",
    (
        Rule(
            "outside development below 60, for which time the keys may be cached",
            lambda values: not values[DEV] and values[KEY_ANNOUNCED_SECONDS] < 60,
        ),
    ),
)

# Limits and addresses -------------------------------------------------------------------------------------------------
FAILURE_LIMIT = Setting(
    "SMARTAUTH_FAILURE_LIMIT",
    whole(1, 10_000),
    10,
    "How many failed sign-ins with one user name, and those that share its count, from one address (of IPv6 from one "
    "/64), or failed authentications of one client from there, are too many: the last of them and all further ones are "
    "answered with 429",
    (Rule("very large: guessing is not slowed"),),
)
FAILURE_WINDOW_SECONDS = Setting(
    "SMARTAUTH_FAILURE_WINDOW_SECONDS", whole(1, DAY, "seconds"), 900, "For how long failures are counted"
)
REFUSALS_LIMIT = Setting(
    "SMARTAUTH_REFUSALS_LIMIT",
    whole(0, 1_000_000),
    30,
    "How many refused requests of one person, client and FHIR server a resource server may "
    "[report](how-to/end-abuse.md) within the window before that access ends by itself; 0: never",
    (Rule("very large or 0: somebody who keeps trying keeps their token"),),
)
REFUSALS_WINDOW_SECONDS = Setting(
    "SMARTAUTH_REFUSALS_WINDOW_SECONDS", whole(1, DAY, "seconds"), 300, "For how long reported refusals are counted"
)
REFUSALS_LOCK = Setting(
    "SMARTAUTH_REFUSALS_LOCK",
    word("login"),
    "",
    "`login`: when that happens the person must also sign in anew before anything else is allowed",
    default_text="nothing",
)
TRUSTED_PROXIES = Setting(
    "SMARTAUTH_TRUSTED_PROXIES",
    whole(0, 16),
    0,
    "How many proxies in front add to `X-Forwarded-For`; the caller's address is counted from the right",
    (Rule("more than there are: callers choose their address"),),
)
IPV4_PREFIX = Setting(
    "SMARTAUTH_IPV4_PREFIX",
    whole(1, 32, "bits"),
    32,
    "How many bits of two IPv4 addresses must agree for them to count as one ([binding](how-to/bind-to-addresses.md)); "
    "24 where a provider moves its customers within a network",
)
IPV6_PREFIX = Setting(
    "SMARTAUTH_IPV6_PREFIX",
    whole(1, 128, "bits"),
    64,
    "The same for IPv6, where one household has a whole network",
)
ADDRESS_DAYS = Setting(
    "SMARTAUTH_ADDRESS_DAYS",
    whole(1, 3650, "days"),
    90,
    "For how many days the main database keeps addresses that no access needs any more ([privacy](privacy.md))",
)
CONNECTIONS = Setting(
    "SMARTAUTH_CONNECTIONS",
    whole(1, 1_000_000),
    1000,
    "Connections that a process holds; more get 503. Above what the proxy keeps open, below the limit of open files",
    (Rule("very large: strangers fill the memory"),),
)
WEB_THREADS = Setting(
    "SMARTAUTH_WEB_THREADS", whole(1, 256, "threads"), 8, "Threads of a process for pages, discovery, FHIR"
)
TOKEN_THREADS = Setting(
    "SMARTAUTH_TOKEN_THREADS", whole(1, 256, "threads"), 8, "Threads of a process that write tokens and revocations"
)
AUDIT_SHIP_SECONDS = Setting(
    "SMARTAUTH_AUDIT_SHIP_SECONDS",
    whole(1, 3600, "seconds"),
    5,
    "How often security events move from the outbox to the audit database",
)

# Calls to other machines ----------------------------------------------------------------------------------------------
CA_FILE = Setting(
    "SMARTAUTH_CA_FILE",
    kinds.AUTHORITIES,
    "",
    "Authorities that are believed beside the public ones by whatever calls another machine: introspection and reports "
    "of the bundled FHIR server, keys of clients, patient searches. `SSL_CERT_FILE` is not read",
    (Rule("an authority that others can get certificates from"),),
    default_text="none",
)

# The bundled FHIR server: it asks introspection over HTTP like any other resource server ------------------------------
FHIR_INTROSPECTION_URL = Setting(
    "SMARTAUTH_FHIR_INTROSPECTION_URL",
    kinds.ADDRESS,
    lambda values: f"{values[ISSUER]}/o/introspect",
    "Where the bundled FHIR server asks about tokens: `/o/introspect` of the issuer",
    (Rule("http to another machine"),),
)
FHIR_REPORT_URL = Setting(
    "SMARTAUTH_FHIR_REPORT_URL",
    kinds.ADDRESS_OR_OFF,
    lambda values: f"{values[ISSUER]}/o/report",
    "Where the bundled FHIR server reports requests that it refused: `/o/report` of the issuer; `off`: nowhere",
    (Rule("http to another machine"),),
)
FHIR_NAME = Setting(
    "SMARTAUTH_FHIR_NAME",
    kinds.TEXT,
    "FHIR server of smartauth",
    "What the bundled FHIR server calls itself in its statement",
)
FHIR_CLIENT_ID = Setting(
    "SMARTAUTH_FHIR_CLIENT_ID", kinds.TEXT, "demo-resource-server", "The client as which the bundled FHIR server asks"
)
FHIR_CLIENT_SECRET: Setting[str] = Setting(
    "SMARTAUTH_FHIR_CLIENT_SECRET",
    kinds.SECRET,
    lambda values: DEMO_SECRET if values[DEV] else "",
    "Its secret; outside development nothing, and the bundled FHIR server is absent",
    (
        Rule(
            "the demo's secret outside development",
            lambda values: not values[DEV] and values[FHIR_CLIENT_SECRET] == DEMO_SECRET,
        ),
    ),
)
FHIR_INTROSPECTION_TIMEOUT = Setting(
    "SMARTAUTH_FHIR_INTROSPECTION_TIMEOUT",
    decimal(0.1, 60, "seconds"),
    3.0,
    "Seconds until the bundled FHIR server gives up and answers 503",
)

SETTINGS: tuple[Setting[Any], ...] = tuple(each for each in list(globals().values()) if isinstance(each, Setting))
