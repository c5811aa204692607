"""The people's side as WSGI; smartauth.asgi stands in front of it."""

import os
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
application = WSGIHandler()
application.request_class = Utf8Request
