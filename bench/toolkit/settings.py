"""A project as `startproject` makes it, with django-oauth-toolkit as its documentation adds it, on PostgreSQL."""

import os
import secrets
from typing import Any
from urllib.parse import urlsplit

_url = urlsplit(os.environ["BENCH_TOOLKIT_DATABASE_URL"])

SECRET_KEY = secrets.token_urlsafe()
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "bench.toolkit.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "oauth2_provider",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.path.removeprefix("/"),
        "USER": _url.username,
        "PASSWORD": _url.password,
        "HOST": _url.hostname,
        "PORT": _url.port,
        "CONN_MAX_AGE": None,  # kinder than the default, which connects for every request
    }
}
OAUTH2_PROVIDER = {
    "SCOPES": {"patient/*.rs": "read", "system/*.rs": "read all", "offline_access": "refresh"},
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
}
