"""What Django's validators do not ask of a new password."""

from django.core.exceptions import ValidationError

from accounts.login import LONGEST_PASSWORD
from accounts.models import User


class MaximumLengthValidator:
    """No password that could never be signed in with: a longer one is not looked at."""

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > LONGEST_PASSWORD:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        return f"At most {LONGEST_PASSWORD} characters."
