"""Django's admin, with the operators' site as the one that everything registers with."""

from django.contrib.admin.apps import AdminConfig


class Operators(AdminConfig):
    default_site = "oauth.operators.OperatorsSite"
