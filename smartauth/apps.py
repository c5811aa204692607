import gc

from django.apps import AppConfig
from django.conf import settings


class SmartauthConfig(AppConfig):
    name = "smartauth"

    def ready(self) -> None:
        """The last application is there. What manage.py has loaded is never looked through for garbage."""
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        if settings.SMARTAUTH_DEV:
            from oauth.workbench.console.watch import watch

            watch()
