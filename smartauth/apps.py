import gc

from django.apps import AppConfig


class SmartauthConfig(AppConfig):
    name = "smartauth"

    def ready(self) -> None:
        """The last application is there. What manage.py has loaded is never looked through for garbage."""
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
