"""The kinds of values that settings take. Each reads the text of an environment variable and says what it takes."""

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import SplitResult, urlsplit

from cryptography.fernet import Fernet

from smartauth.database_url import SCHEMES, is_postgresql

T = TypeVar("T")
Network = IPv4Network | IPv6Network
ON, OFF = frozenset({"true", "on", "yes", "y", "1"}), frozenset({"false", "off", "no", "n", "0"})
OWN_PORTS = {"https": 443, "http": 80}
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


@dataclass(frozen=True)
class Kind(Generic[T]):
    """`read` raises ValueError for what `takes` does not name. A value that may be a secret is not `shown`."""

    takes: str
    read: Callable[[str], T]
    short: str = ""
    shown: bool = True


def whole(low: int, high: int, unit: str = "") -> Kind[int]:
    """A whole number with both bounds included."""

    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return Kind(f"a whole number{unit and f' of {unit}'} from {low} to {high}", read, f"{low} to {high} {unit}".strip())


def decimal(low: float, high: float, unit: str = "") -> Kind[float]:
    """A number with both bounds included, with a point if it has decimals."""

    def read(text: str) -> float:
        if not _DECIMAL.fullmatch(text) or not low <= float(text) <= high:
            raise ValueError
        return float(text)

    bounds = f"{low:g} to {high:g}"
    return Kind(f"a number{unit and f' of {unit}'} from {bounds}", read, f"{bounds} {unit}".strip())


def word(*words: str) -> Kind[str]:
    """One of a few words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return Kind(" or ".join(words), read)


def _read_flag(text: str) -> bool:
    if text.lower() not in ON | OFF:
        raise ValueError
    return text.lower() in ON


def _read_text(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise ValueError
    return text


def _read_folder(text: str) -> Path:
    path = Path(_read_text(text)).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError
    return path


def _read_authorities(text: str) -> str:
    path = str(Path(_read_text(text)).expanduser().absolute())
    try:
        ssl.create_default_context(cafile=path)
    except OSError:  # ssl.SSLError among it
        raise ValueError from None
    return path


def _read_fernet_keys(text: str) -> list[str]:
    keys = _items(text)
    for key in keys:
        Fernet(key)
    return keys


def _read_host_names(text: str) -> list[str]:
    names = _items(text)
    if not all(_is_host(name.removeprefix(".")) for name in names):
        raise ValueError
    return names


def _read_networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(item) for item in _items(text))


def _items(text: str) -> list[str]:
    items = [item.strip() for item in text.split(",")]
    if not all(items):
        raise ValueError
    return items


def _read_origin(text: str) -> str:
    url = _split(text)
    bracketed = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    port = "" if url.port is None else f":{url.port}"
    if url.scheme not in OWN_PORTS or url.port == OWN_PORTS[url.scheme]:
        raise ValueError
    if text != f"{url.scheme}://{bracketed}{port}" or not _is_host(bracketed or ""):
        raise ValueError
    return text


def _split(text: str) -> SplitResult:
    """Raises ValueError for what is no URL, names a user, or has port 0."""
    url = urlsplit(_read_text(text))
    if " " in text or url.username is not None or url.password is not None or url.port == 0:
        raise ValueError
    return url


def _is_host(text: str) -> bool:
    """A name in lower case, an IPv4 address, or an IPv6 address in brackets, as a Host header and an Origin have it."""
    if text.startswith("[") and text.endswith("]"):
        return "%" not in text and text[1:-1] == str(IPv6Address(text[1:-1]))
    if text.rpartition(".")[2].isdigit():
        return text == str(ip_address(text))
    return bool(_NAME.fullmatch(text))


def _read_address(text: str) -> str:
    url = _split(text)
    if url.scheme not in OWN_PORTS or not url.hostname or url.fragment or "#" in text:
        raise ValueError
    return text


def _read_address_or_off(text: str) -> str:
    return "" if text == "off" else _read_address(text)


def _read_postgresql(text: str) -> str:
    if text.partition("://")[0] not in SCHEMES:
        raise ValueError
    _require("psycopg", extra="postgresql")
    if not is_postgresql(_read_text(text)):
        raise ValueError
    return text


def _read_redis(text: str) -> str:
    url = urlsplit(_read_text(text))
    if url.scheme not in {"redis", "rediss"} or not url.hostname or url.port == 0 or url.fragment:
        raise ValueError
    if not re.fullmatch(r"(/[0-9]{0,4})?", url.path):
        raise ValueError
    _require("redis", extra="redis")
    return text


class MissingExtra(ValueError):
    """The value may be good, but what it needs was not installed with smartauth."""

    def __init__(self, extra: str) -> None:
        super().__init__(f"needs an extra that is not installed: pip install 'smartauth[{extra}]'")


def _require(module: str, *, extra: str) -> None:
    if find_spec(module) is None:
        raise MissingExtra(extra)


FLAG = Kind("true or false", _read_flag)
TEXT = Kind("one line of text without blanks around it", _read_text, "text")
SECRET = Kind(TEXT.takes, _read_text, "text", shown=False)
FOLDER = Kind("a folder", _read_folder)
AUTHORITIES = Kind("a file of certificates in PEM", _read_authorities, "file in PEM")
FERNET_KEYS = Kind("Fernet keys, separated by commas", _read_fernet_keys, "Fernet keys", shown=False)
HOST_NAMES = Kind(
    "host names in lower case without ports, separated by commas, never *", _read_host_names, "host names"
)
NETWORKS = Kind("networks such as 172.17.0.0/16, separated by commas", _read_networks, "networks")
ORIGIN = Kind(
    "an origin such as https://auth.example.org: lower case, no user, path, query or fragment, "
    "a port only if it is not the scheme's own",
    _read_origin,
    "origin",
)
ADDRESS = Kind("an http or https URL without user and fragment", _read_address, "http(s) URL")
ADDRESS_OR_OFF = Kind(f"{ADDRESS.takes}, or off", _read_address_or_off, "http(s) URL or `off`")
POSTGRESQL = Kind(
    "postgresql://user:password@host:port/name; for an SQLite file in the data folder leave it unset",
    _read_postgresql,
    "postgresql URL",
    shown=False,
)
REDIS = Kind("redis://host:port/number", _read_redis, "redis URL", shown=False)
