"""Form fields for what the database keeps in one column: flags as 0 or 1, lists as words, checked as they are typed."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from smart.text import has_unsafe_characters


class Flag(forms.BooleanField):
    """A tick, kept as 0 or 1."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, **options})

    def prepare_value(self, value: Any) -> bool:
        return bool(value)

    def to_python(self, value: Any) -> int:  # type: ignore[override]
        return int(super().to_python(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(initial) != bool(self.to_python(data))


class Lines(forms.CharField):
    """A list, one entry on a line, kept as words."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 70, "spellcheck": "false", "autocapitalize": "off"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "max_length": 20_000, **options})

    def prepare_value(self, value: Any) -> str:
        return "\n".join(str(value or "").split())

    def to_python(self, value: Any) -> str:
        return " ".join((super().to_python(value) or "").split())

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(initial or "").split() != str(data or "").split()


class Seconds(forms.IntegerField):
    """A length of time; empty or 0 means that something else decides."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "min_value": 0, **options})

    def to_python(self, value: Any) -> int | None:
        return super().to_python(value) or 0


def plain_text(value: str) -> None:
    """A name that people will read: no control characters, nothing that turns the line around."""
    if has_unsafe_characters(value):
        raise ValidationError("Control characters and characters that change the direction of text are not allowed.")
