"""Django's settings. What the environment chooses is described in smartauth/settings_table.py and docs/settings.md."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from smart.http.addresses import PrefixLengths
from smartauth import settings_table as table
from smartauth.data_folder import make_folder, private_file
from smartauth.database_url import django_database
from smartauth.environment import read_or_exit
from smartauth.first_start import read_or_create_secret
from smartauth.resources import IS_INSTALLED, RESOURCES
from smartauth.setting_kinds import Network

BASE_DIR = RESOURCES
_env = read_or_exit(os.environ)

# Where the server is and what it is called --------------------------------------------------------------------------
SMARTAUTH_PORT: int = _env[table.PORT]
SMARTAUTH_ISSUER: str = _env[table.ISSUER]
SMARTAUTH_DEV: bool = _env[table.DEV]
SMARTAUTH_DEV_NETWORKS: tuple[Network, ...] = _env[table.DEV_NETWORKS]
SMARTAUTH_DATA_DIR: Path = make_folder(_env[table.DATA_DIR])
SMARTAUTH_COMMAND = "smartauth" if IS_INSTALLED else "manage.py"  # as sentences name it
_issuer = urlsplit(SMARTAUTH_ISSUER)

# Secrets: drawn at the first start and kept in the data folder unless the environment gives them --------------------
SECRET_KEY: str = _env[table.SECRET_KEY] or read_or_create_secret(SMARTAUTH_DATA_DIR / "secret-key")
SMARTAUTH_KEY_ENCRYPTION_KEYS: list[str] = _env[table.KEY_ENCRYPTION_KEYS] or [
    read_or_create_secret(SMARTAUTH_DATA_DIR / "key-encryption-key")
]

# Tokens and limits --------------------------------------------------------------------------------------------------
SMARTAUTH_ACCESS_TOKEN_SECONDS: int = _env[table.ACCESS_TOKEN_SECONDS]
SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS: int = _env[table.ACCESS_TOKEN_MAX_SECONDS]
SMARTAUTH_REFRESH_TOKEN_SECONDS: int = _env[table.REFRESH_TOKEN_SECONDS]
SMARTAUTH_REFRESH_IDLE_SECONDS: int = _env[table.REFRESH_IDLE_SECONDS]
SMARTAUTH_REFRESH_GRACE_SECONDS: int = _env[table.REFRESH_GRACE_SECONDS]
SMARTAUTH_CODE_SECONDS: int = _env[table.CODE_SECONDS]
SMARTAUTH_PENDING_REQUESTS: int = _env[table.PENDING_REQUESTS]
SMARTAUTH_PENDING_REQUEST_SECONDS: int = _env[table.PENDING_REQUEST_SECONDS]
SMARTAUTH_LAUNCH_SECONDS: int = _env[table.LAUNCH_SECONDS]
SMARTAUTH_NEED_PATIENT_BANNER: bool = _env[table.NEED_PATIENT_BANNER]
SMARTAUTH_STYLE_URL: str = _env[table.STYLE_URL]
SMARTAUTH_TOKEN_SECRET_IN_BODY: bool = _env[table.TOKEN_SECRET_IN_BODY]
SMARTAUTH_OLD_SECRET_SECONDS: int = _env[table.OLD_SECRET_SECONDS]
SMARTAUTH_KEY_ROTATION_DAYS: int = _env[table.KEY_ROTATION_DAYS]
SMARTAUTH_KEY_ANNOUNCED_SECONDS: int = _env[table.KEY_ANNOUNCED_SECONDS]
SMARTAUTH_FAILURE_LIMIT: int = _env[table.FAILURE_LIMIT]
SMARTAUTH_FAILURE_WINDOW_SECONDS: int = _env[table.FAILURE_WINDOW_SECONDS]
SMARTAUTH_REFUSALS_LIMIT: int = _env[table.REFUSALS_LIMIT]
SMARTAUTH_REFUSALS_WINDOW_SECONDS: int = _env[table.REFUSALS_WINDOW_SECONDS]
SMARTAUTH_REFUSALS_LOCK: str = _env[table.REFUSALS_LOCK]
SMARTAUTH_TRUSTED_PROXIES: int = _env[table.TRUSTED_PROXIES]
SMARTAUTH_ADDRESS_PREFIXES = PrefixLengths(_env[table.IPV4_PREFIX], _env[table.IPV6_PREFIX])
SMARTAUTH_ADDRESS_DAYS: int = _env[table.ADDRESS_DAYS]
SMARTAUTH_CONNECTIONS: int = _env[table.CONNECTIONS]
SMARTAUTH_WEB_THREADS: int = _env[table.WEB_THREADS]
SMARTAUTH_TOKEN_THREADS: int = _env[table.TOKEN_THREADS]

# The bundled FHIR server: it asks introspection over HTTP like any other resource server ----------------------------
SMARTAUTH_FHIR_BASES: dict[str, str] = {"r4": f"{SMARTAUTH_ISSUER}/fhir/r4"}
SMARTAUTH_FHIR_BASES |= {version: f"{SMARTAUTH_ISSUER}/fhir/{version}" for version in ("stu3", "dstu2")}
SMARTAUTH_FHIR_NAME: str = _env[table.FHIR_NAME]
SMARTAUTH_CA_FILE: str = _env[table.CA_FILE]
SMARTAUTH_FHIR_INTROSPECTION_URL: str = _env[table.FHIR_INTROSPECTION_URL]
SMARTAUTH_FHIR_REPORT_URL: str = _env[table.FHIR_REPORT_URL]
SMARTAUTH_FHIR_CLIENT_ID: str = _env[table.FHIR_CLIENT_ID]
SMARTAUTH_FHIR_CLIENT_SECRET: str = _env[table.FHIR_CLIENT_SECRET]
SMARTAUTH_FHIR_INTROSPECTION_TIMEOUT: float = _env[table.FHIR_INTROSPECTION_TIMEOUT]
SMARTAUTH_FHIR_OAUTH_URIS: dict[str, str] = {
    **{name: f"{SMARTAUTH_ISSUER}/o/{name}" for name in ("authorize", "token", "introspect", "revoke")},
    "manage": f"{SMARTAUTH_ISSUER}/apps",
}

# Databases ----------------------------------------------------------------------------------------------------------


SMARTAUTH_DATABASE_POOL_MODE: str = _env[table.DATABASE_POOL_MODE]


def database(url: str, file: str) -> dict[str, Any]:
    """PostgreSQL where the environment names one, else an SQLite file in the data folder."""
    if url:
        found = django_database(url)
        is_pooled = SMARTAUTH_DATABASE_POOL_MODE == "transaction"
        prepared = {"prepare_threshold": None if is_pooled else 1}
        # libpq would believe what PgBouncer remembers of a server, also after that was promoted
        behind = {} if SMARTAUTH_DATABASE_POOL_MODE == "none" else {"target_session_attrs": "any"}
        found["OPTIONS"] = {**found["OPTIONS"], "server_side_binding": True, **prepared, **behind}
        # else each thread's first request after the database was away would fail, long after it is back
        checked = {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
        return {**found, **checked, "DISABLE_SERVER_SIDE_CURSORS": is_pooled}
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": private_file(SMARTAUTH_DATA_DIR / file),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;",
        },
        "TEST": {"NAME": str(SMARTAUTH_DATA_DIR / f"test-{file}")},
        "CONN_MAX_AGE": None,
    }


DATABASES = {
    "default": database(_env[table.DATABASE_URL], "smartauth.sqlite3"),
    "audit": database(_env[table.AUDIT_DATABASE_URL], "audit.sqlite3"),
}
DATABASE_ROUTERS = ["fhir.audit.router.FhirAuditRouter", "audit.router.AuditRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Tasks: Redis where the environment names one, else a broker made of files ------------------------------------------
SMARTAUTH_AUDIT_SHIP_SECONDS: int = _env[table.AUDIT_SHIP_SECONDS]
SMARTAUTH_REDIS_URL: str = _env[table.REDIS_URL]
CELERY_BROKER_URL = SMARTAUTH_REDIS_URL or "filesystem://"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_BEAT_SCHEDULE_FILENAME = str(SMARTAUTH_DATA_DIR / "celery-beat")
if not SMARTAUTH_REDIS_URL:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(SMARTAUTH_DATA_DIR / "queue"),
        "data_folder_out": str(SMARTAUTH_DATA_DIR / "queue"),
        "control_folder": str(SMARTAUTH_DATA_DIR / "queue-control"),
        "store_processed": False,
    }
CELERY_BEAT_SCHEDULE = {
    "ship the audit outbox": {"task": "audit.tasks.ship", "schedule": SMARTAUTH_AUDIT_SHIP_SECONDS},
    "ship the events of the FHIR server": {"task": "fhir.audit.tasks.ship", "schedule": SMARTAUTH_AUDIT_SHIP_SECONDS},
    "sweep what is over": {"task": "oauth.tasks.sweep", "schedule": 3600},
    "rotate signing keys": {"task": "oauth.tasks.rotate_keys", "schedule": 3600},
}

# Django -------------------------------------------------------------------------------------------------------------
DEBUG = False
_own_host = _issuer.netloc.removesuffix(f":{_issuer.port}")
_loopback = ["127.0.0.1", "localhost", "[::1]"] if SMARTAUTH_DEV else []
ALLOWED_HOSTS: list[str] = [_own_host, *_env[table.ALLOWED_HOSTS], *_loopback]
CSRF_TRUSTED_ORIGINS = [f"{_issuer.scheme}://{_issuer.netloc}"]
INSTALLED_APPS = [
    "operators.apps.OperatorsAdminConfig",  # django.contrib.admin with our site
    "accounts",  # before libraries: commands of theirs that pass by our rules are refused
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "oauth2_provider",
    "rest_framework",
    "audit",
    "oauth",
    "operators",
    "introspection",
    "fhir",
    "fhir.audit",
    "smartauth",
]
MIDDLEWARE = [
    "oauth.http.request_log.RequestLogMiddleware",
    "smartauth.any_host.AnyHostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "oauth.http.cors.CorsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.sessions.LastSeen",
    "oauth.sign_in.password.RequireNewPassword",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "oauth.http.dead_ends.MethodNotAllowedPage",
]
ROOT_URLCONF = "smartauth.urls"
WSGI_APPLICATION = "smartauth.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "oauth.http.page_frame.page_frame",
            ]
        },
    }
]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
STATIC_URL = "/static/"
SMARTAUTH_STATIC_DIR: Path = _env[table.STATIC_DIR]
STATIC_ROOT = SMARTAUTH_STATIC_DIR
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = SMARTAUTH_DEV
WHITENOISE_AUTOREFRESH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "UNAUTHENTICATED_USER": None,
}

# People and sessions ------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
PASSWORD_HASHERS = ["accounts.password_hasher.BoundedArgon2"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["username", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.password_validation.MaximumLengthValidator"},
]
SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "oauth.http.error_pages.csrf_failure"
_https = _issuer.scheme == "https"
SESSION_COOKIE_NAME = "__Host-smartauth" if _https else "smartauth"
CSRF_COOKIE_NAME = "__Host-smartauth-csrf" if _https else "smartauth-csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https

# Headers of every page; the machines' side sets its own from the same words -----------------------------------------
SECURE_SSL_REDIRECT = _https and not SMARTAUTH_TRUSTED_PROXIES
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SMARTAUTH_TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "style-src": ["'self'"],
        "script-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

# django-oauth-toolkit: the six models are ours; its views are not served --------------------------------------------
# Nothing of ours reads OAUTH2_PROVIDER: its deploy checks do, and its code if somebody mounts that.
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth.Client"
OAUTH2_PROVIDER_GRANT_MODEL = "oauth.Code"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "oauth.AccessToken"  # noqa: S105
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "oauth.RefreshToken"  # noqa: S105
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "oauth.IDToken"  # noqa: S105
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "oauth.DeviceGrant"
OAUTH2_PROVIDER: dict[str, Any] = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": SMARTAUTH_ACCESS_TOKEN_SECONDS,
    "REFRESH_TOKEN_EXPIRE_SECONDS": SMARTAUTH_REFRESH_IDLE_SECONDS,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "PKCE_REQUIRED": True,
    "DEFAULT_SCOPES": [],
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
    "RESOURCE_SERVER_TOKEN_CACHING_SECONDS": 0,
    "APPLICATION_ADMIN_CLASS": "operators.admin.ClientAdmin",
    "GRANT_ADMIN_CLASS": "operators.admin.Hidden",
    "ACCESS_TOKEN_ADMIN_CLASS": "operators.admin.AccessTokenAdmin",
    "REFRESH_TOKEN_ADMIN_CLASS": "operators.admin.RefreshTokenAdmin",
    "ID_TOKEN_ADMIN_CLASS": "operators.admin.Hidden",
}

# Logs: one line a request, without query strings, tokens, names, ids or addresses -----------------------------------
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "smartauth.log_lines.FramesOnlyFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "messages": SMARTAUTH_DEV,
        }
    },
    "filters": {"failures": {"()": "smartauth.log_lines.ServerFailuresOnly"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # both repeat what callers sent: paths with ids, Host headers
        "django.request": {"filters": ["failures"]},
        "django.security": {"handlers": ["nowhere"], "propagate": False},
    },
}
