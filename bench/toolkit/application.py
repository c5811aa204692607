"""The project as a WSGI application in the threads of one uvicorn: each thread keeps its connection to PostgreSQL."""

from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

application = WSGIMiddleware(cast(Any, get_wsgi_application()), workers=8)
