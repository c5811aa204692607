"""Every setting of smartauth. Each SMARTAUTH_ variable stands in docs/settings.md; a test compares the two."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

from smart.http.addresses import PrefixLengths
from smartauth.first_start import read_or_create_secret

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# Where we are and what we are called --------------------------------------------------------------------------------
SMARTAUTH_PORT = env.int("SMARTAUTH_PORT", default=8000)
SMARTAUTH_ISSUER = env.str("SMARTAUTH_ISSUER", default=f"http://127.0.0.1:{SMARTAUTH_PORT}")
_issuer = urlsplit(SMARTAUTH_ISSUER)
_on_loopback = _issuer.hostname in {"127.0.0.1", "localhost", "::1"}
SMARTAUTH_DEV = env.bool("SMARTAUTH_DEV", default=_on_loopback)
SMARTAUTH_DATA_DIR = env.path("SMARTAUTH_DATA_DIR", default=str(BASE_DIR / "var"))
_data = Path(str(SMARTAUTH_DATA_DIR))

# Secrets: drawn at the first start and kept in the data folder unless the environment gives them --------------------
SECRET_KEY = env.str("SMARTAUTH_SECRET_KEY", default="") or read_or_create_secret(_data / "secret-key")
SMARTAUTH_KEY_ENCRYPTION_KEYS = env.list("SMARTAUTH_KEY_ENCRYPTION_KEYS", default=[]) or [
    read_or_create_secret(_data / "key-encryption-key")
]
SMARTAUTH_SECRETS_FROM_ENVIRONMENT = bool(
    env.str("SMARTAUTH_SECRET_KEY", default="") and env.list("SMARTAUTH_KEY_ENCRYPTION_KEYS", default=[])
)

# Tokens and limits --------------------------------------------------------------------------------------------------
SMARTAUTH_ACCESS_TOKEN_SECONDS = env.int("SMARTAUTH_ACCESS_TOKEN_SECONDS", default=300)
SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS = env.int("SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS", default=3600)
SMARTAUTH_REFRESH_TOKEN_SECONDS = env.int("SMARTAUTH_REFRESH_TOKEN_SECONDS", default=92 * 86_400)
SMARTAUTH_REFRESH_IDLE_SECONDS = env.int("SMARTAUTH_REFRESH_IDLE_SECONDS", default=92 * 86_400)
SMARTAUTH_REFRESH_GRACE_SECONDS = env.int("SMARTAUTH_REFRESH_GRACE_SECONDS", default=0)
SMARTAUTH_CODE_SECONDS = env.int("SMARTAUTH_CODE_SECONDS", default=60)
SMARTAUTH_PENDING_REQUEST_SECONDS = env.int("SMARTAUTH_PENDING_REQUEST_SECONDS", default=600)
SMARTAUTH_LAUNCH_SECONDS = env.int("SMARTAUTH_LAUNCH_SECONDS", default=300)
SMARTAUTH_TOKEN_SECRET_IN_BODY = env.bool("SMARTAUTH_TOKEN_SECRET_IN_BODY", default=False)
SMARTAUTH_OLD_SECRET_SECONDS = env.int("SMARTAUTH_OLD_SECRET_SECONDS", default=86_400)
SMARTAUTH_KEY_ROTATION_DAYS = env.int("SMARTAUTH_KEY_ROTATION_DAYS", default=90)
SMARTAUTH_KEY_ANNOUNCED_SECONDS = env.int("SMARTAUTH_KEY_ANNOUNCED_SECONDS", default=3600)
SMARTAUTH_FAILURE_LIMIT = env.int("SMARTAUTH_FAILURE_LIMIT", default=10)
SMARTAUTH_FAILURE_WINDOW_SECONDS = env.int("SMARTAUTH_FAILURE_WINDOW_SECONDS", default=900)
SMARTAUTH_REFUSALS_LIMIT = env.int("SMARTAUTH_REFUSALS_LIMIT", default=30)
SMARTAUTH_REFUSALS_WINDOW_SECONDS = env.int("SMARTAUTH_REFUSALS_WINDOW_SECONDS", default=300)
SMARTAUTH_REFUSALS_LOCK = env.str("SMARTAUTH_REFUSALS_LOCK", default="")
SMARTAUTH_TRUSTED_PROXIES = env.int("SMARTAUTH_TRUSTED_PROXIES", default=0)
SMARTAUTH_ADDRESS_PREFIXES = PrefixLengths(
    env.int("SMARTAUTH_IPV4_PREFIX", default=32), env.int("SMARTAUTH_IPV6_PREFIX", default=64)
)
SMARTAUTH_ADDRESS_DAYS = env.int("SMARTAUTH_ADDRESS_DAYS", default=90)
SMARTAUTH_CONNECTIONS = env.int("SMARTAUTH_CONNECTIONS", default=1000)
SMARTAUTH_WEB_THREADS = env.int("SMARTAUTH_WEB_THREADS", default=8)
SMARTAUTH_TOKEN_THREADS = env.int("SMARTAUTH_TOKEN_THREADS", default=8)
SMARTAUTH_AUDIT_SHIP_SECONDS = env.int("SMARTAUTH_AUDIT_SHIP_SECONDS", default=5)

# The bundled FHIR server: it asks introspection over HTTP like any other resource server ----------------------------
SMARTAUTH_FHIR_BASES = {"r4": f"{SMARTAUTH_ISSUER}/fhir/r4"}
SMARTAUTH_FHIR_INTROSPECTION_URL = env.str(
    "SMARTAUTH_FHIR_INTROSPECTION_URL", default=f"{SMARTAUTH_ISSUER}/o/introspect"
)
SMARTAUTH_FHIR_REPORT_URL = env.str("SMARTAUTH_FHIR_REPORT_URL", default=f"{SMARTAUTH_ISSUER}/o/report")
SMARTAUTH_FHIR_CLIENT_ID = env.str("SMARTAUTH_FHIR_CLIENT_ID", default="demo-resource-server")
SMARTAUTH_FHIR_CLIENT_SECRET = env.str(
    "SMARTAUTH_FHIR_CLIENT_SECRET", default="demo-resource-server-secret" if SMARTAUTH_DEV else ""
)
SMARTAUTH_FHIR_INTROSPECTION_TIMEOUT = env.float("SMARTAUTH_FHIR_INTROSPECTION_TIMEOUT", default=3.0)
SMARTAUTH_FHIR_OAUTH_URIS = {
    **{name: f"{SMARTAUTH_ISSUER}/o/{name}" for name in ("authorize", "token", "introspect", "revoke")},
    "manage": f"{SMARTAUTH_ISSUER}/apps",
}

# Databases ----------------------------------------------------------------------------------------------------------


def database(variable: str, file: str) -> dict[str, Any]:
    """PostgreSQL where the environment names one, else a SQLite file in the data folder."""
    if env.str(variable, default=""):
        found: dict[str, Any] = env.db_url(variable)
        found["OPTIONS"] = {**found.get("OPTIONS", {}), "server_side_binding": True, "prepare_threshold": 1}
    else:
        found = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(_data / file),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;",
            },
            "TEST": {"NAME": str(_data / f"test-{file}")},
        }
    return {**found, "CONN_MAX_AGE": None}


DATABASES = {
    "default": database("SMARTAUTH_DATABASE_URL", "smartauth.sqlite3"),
    "audit": database("SMARTAUTH_AUDIT_DATABASE_URL", "audit.sqlite3"),
}
DATABASE_ROUTERS = ["audit.router.AuditRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Tasks: Redis where the environment names one, else a broker made of files ------------------------------------------
SMARTAUTH_REDIS_URL = env.str("SMARTAUTH_REDIS_URL", default="")
CELERY_BROKER_URL = SMARTAUTH_REDIS_URL or "filesystem://"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_BEAT_SCHEDULE_FILENAME = str(_data / "celery-beat")
if not SMARTAUTH_REDIS_URL:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_data / "queue"),
        "data_folder_out": str(_data / "queue"),
        "control_folder": str(_data / "queue-control"),
        "store_processed": False,
    }
CELERY_BEAT_SCHEDULE = {
    "ship the audit outbox": {"task": "audit.tasks.ship", "schedule": SMARTAUTH_AUDIT_SHIP_SECONDS},
    "sweep what is over": {"task": "oauth.tasks.sweep", "schedule": 3600},
    "rotate signing keys": {"task": "oauth.tasks.rotate_keys", "schedule": 3600},
}

# Django -------------------------------------------------------------------------------------------------------------
DEBUG = False
_hosts = env.list("SMARTAUTH_ALLOWED_HOSTS", default=[])
ALLOWED_HOSTS = [_issuer.hostname or "", *_hosts, *(["127.0.0.1", "localhost", "[::1]"] if SMARTAUTH_DEV else [])]
CSRF_TRUSTED_ORIGINS = [f"{_issuer.scheme}://{_issuer.netloc}"]
INSTALLED_APPS = [
    "operators.apps.OperatorsAdmin",  # django.contrib.admin with our site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "oauth2_provider",
    "rest_framework",
    "accounts",
    "audit",
    "oauth",
    "operators",
    "introspection",
    "fhir",
    "smartauth",
]
MIDDLEWARE = [
    "oauth.http.request_log.RequestLogMiddleware",
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
STATIC_ROOT = _data / "static"
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
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["username", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
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
    "filters": {"failures": {"()": "oauth.http.request_log.ServerFailuresOnly"}},
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
