"""The people's side as WSGI; smartauth.asgi stands in front of it."""

import os
import secrets
from http import HTTPStatus
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartauth.settings")


class Utf8Request(WSGIRequest):
    """Read as UTF-8, whatever its Content-Type names: Django would take any codec of Python, and break on rot13."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:  # a parameter that nobody can decode
            self.content_type, self.content_params = "", {}


django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402

from oauth.http.answer import Answer, answer_headers, error_answer  # noqa: E402
from smart.http.errors import TemporarilyUnavailable  # noqa: E402
from smartauth import development_door  # noqa: E402
from smartauth.startup_checks import gate  # noqa: E402

NOT_READY = error_answer(TemporarilyUnavailable("the server is not ready to serve, try again later"))


class Application(WSGIHandler):
    """Django, once the checks have passed; in development for those alone who may meet the public passwords."""

    request_class = Utf8Request

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if refusal := _refusal(environ):
            lines = answer_headers(refusal, secrets.token_hex(8))
            status = f"{refusal.status:d} {HTTPStatus(refusal.status).phrase}"
            start_response(status, [(name.decode(), value.decode()) for name, value in lines])
            return [refusal.body]
        return super().__call__(environ, start_response)


def _refusal(environ: dict[str, Any]) -> Answer | None:
    path = environ.get("PATH_INFO", "")
    if settings.SMARTAUTH_DEV:
        refusal = development_door.refusal(path, environ.get("REMOTE_ADDR", ""), environ.get("HTTP_HOST", ""))
        if refusal:
            return refusal
    return None if path == "/healthz" or gate.try_open() else NOT_READY


application = Application()
