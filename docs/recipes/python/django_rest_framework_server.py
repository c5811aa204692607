"""A FHIR server in Django REST framework for which smartauth decides about every request. Run it: python FILE"""

import os
from urllib.parse import urlsplit
from wsgiref.simple_server import make_server

import django
from django.conf import settings

import records
from smartauth_enforcement import Enforcement, WsgiMiddleware

settings.configure(
    SECRET_KEY="not used: no sessions here",  # noqa: S106
    ALLOWED_HOSTS=["127.0.0.1", urlsplit(os.environ["FHIR_BASE"]).hostname],
    ROOT_URLCONF=__name__,
    WSGI_APPLICATION=f"{__name__}.application",
    REST_FRAMEWORK={
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import re_path  # noqa: E402
from rest_framework.renderers import JSONRenderer  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

# The part to copy, into wsgi.py ---------------------------------------------------------------------------------------

application = WsgiMiddleware(get_wsgi_application(), Enforcement.from_environment())

# Your server ----------------------------------------------------------------------------------------------------------


class FhirRenderer(JSONRenderer):
    media_type = "application/fhir+json"


class Fhir(APIView):
    renderer_classes = (FhirRenderer, JSONRenderer)

    def get(self, request: Request, path: str) -> Response:
        status, body = records.answer(str(request.method), path, request.META["QUERY_STRING"], request.body)
        return Response(body, status)

    post = get


root = f"{urlsplit(os.environ['FHIR_BASE']).path}/".lstrip("/")
urlpatterns = [re_path(f"^{root}(?P<path>.*)$", Fhir.as_view())]

if __name__ == "__main__":
    port = int(os.environ.get("PORT") or urlsplit(os.environ["FHIR_BASE"]).port or 80)
    make_server("127.0.0.1", port, application).serve_forever()
