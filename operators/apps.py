"""The operators' app, and Django's admin with the operators' site as the one that everything registers with."""

from django.apps import AppConfig
from django.contrib.admin import apps as django_admin


class OperatorsConfig(AppConfig):
    name = "operators"
    default = True


class OperatorsAdminConfig(django_admin.AdminConfig):
    default_site = "operators.site.OperatorsSite"
    default = False
