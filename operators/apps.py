"""The operators' app, and Django's admin with the operators' site as the one that everything registers with."""

from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin import apps as django_admin
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class OperatorsConfig(AppConfig):
    name = "operators"
    default = True


class OperatorsAdminConfig(django_admin.SimpleAdminConfig):
    """Its pages are loaded where one is served or checked: a command that needs none starts a quarter sooner."""

    default_site = "operators.site.OperatorsSite"
    default = False

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_every_page, checks.Tags.admin)


def _check_every_page(app_configs: Any, **kwargs: Any) -> list[Any]:
    admin.autodiscover()
    return list(check_admin_app(app_configs, **kwargs))
