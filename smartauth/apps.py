from django.apps import AppConfig


class SmartauthConfig(AppConfig):
    name = "smartauth"

    def ready(self) -> None:
        from smartauth import checks  # noqa: F401
