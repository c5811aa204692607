from django.apps import AppConfig


class SmartauthConfig(AppConfig):
    name = "smartauth"
