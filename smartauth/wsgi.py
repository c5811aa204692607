"""The people's side as WSGI; smartauth.asgi stands in front of it."""

import os
from http import HTTPStatus
from typing import Any

import django
from django.core.exceptions import BadRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import QueryDict

from smart.http.media_types import parse_media_type

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartauth.settings")


class Utf8Request(WSGIRequest):
    """Read as UTF-8, whatever its Content-Type names: Django would take any codec of Python, and break on rot13."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        sent = parse_media_type(meta.get("CONTENT_TYPE", ""))
        self.content_type, self.content_params = sent.name, dict(sent.parameters)

    def _load_post_and_files(self) -> None:
        # no page of ours sends multipart, and what its parts say about themselves takes long to read (SD-20)
        if (self.content_type or "").startswith("multipart/"):
            self.POST = QueryDict()
            raise BadRequest("Forms are sent as application/x-www-form-urlencoded.")
        super()._load_post_and_files()


django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402

from oauth.http.machine_response import MachineResponse, oauth_error_response, random_request_id, response_headers  # noqa: E402
from oauth.workbench.console.watch import watch  # noqa: E402
from smart.http.errors import TemporarilyUnavailable  # noqa: E402
from smartauth import development_door  # noqa: E402
from smartauth.startup_checks import gate  # noqa: E402

_NOT_READY = oauth_error_response(
    TemporarilyUnavailable("the server is not ready to serve, try again later", rule="E42", case="E42")
)
NOT_READY = _NOT_READY.with_reason() if settings.SMARTAUTH_DEV else _NOT_READY
if settings.SMARTAUTH_DEV:
    watch()


class Application(WSGIHandler):
    """Django, once the checks have passed; in development for those alone who may meet the public passwords."""

    request_class = Utf8Request

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if refusal := _refusal(environ):
            lines = response_headers(refusal, random_request_id())
            status = f"{refusal.status:d} {HTTPStatus(refusal.status).phrase}"
            start_response(status, [(name.decode(), value.decode()) for name, value in lines])
            return [refusal.body]
        return super().__call__(environ, start_response)


def _refusal(environ: dict[str, Any]) -> MachineResponse | None:
    path = environ.get("PATH_INFO", "")
    if settings.SMARTAUTH_DEV:
        refusal = development_door.refusal(path, environ.get("REMOTE_ADDR", ""), environ.get("HTTP_HOST", ""))
        if refusal:
            return refusal
    return None if path == "/healthz" or gate.try_open() else NOT_READY


application = Application()
