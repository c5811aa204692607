"""The whole map of the people's side. The machines' paths stand in smartauth/asgi.py."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

from oauth import health, home

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("admin/", admin.site.urls),
]
