from django.apps import AppConfig


class IntrospectionConfig(AppConfig):
    name = "introspection"
