from django.apps import AppConfig
from django.conf import settings


class SmartauthConfig(AppConfig):
    name = "smartauth"

    def ready(self) -> None:
        if settings.SMARTAUTH_DEV:
            from oauth.workbench.console.watch import watch

            watch()
