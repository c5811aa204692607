"""Form fields for what the database keeps in one column, and how the rules of registration look in a form.

A field here only reads what was typed; what it may be is decided in oauth/registration, for every door alike.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from django import forms

from oauth.models import FhirServer
from oauth.registration.problems import MISSING, Problems, blank_problems
from operators.admin.django_generics import ModelForm, ModelMultipleChoiceField

_ROW_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


def show_problems(form: "forms.BaseForm", problems: Problems, names: Mapping[str, str] = {}) -> None:
    """Each sentence beside its field; one about a field that the form does not ask stands above the form."""
    for field, sentences in problems.items():
        name = names.get(field, field)
        if name not in form.fields:
            form.add_error(None, [f"{field}: {sentence}" for sentence in sentences])
        elif name not in form.errors:
            form.add_error(name, sentences)


def is_row_id(text: str) -> bool:
    """Whether it can be the primary key of a row, by number as all tables here have it."""
    return _ROW_ID.fullmatch(text) is not None


def row_name(row: Any) -> str:
    """What a list calls a row of another table."""
    return row.name_and_version if isinstance(row, FhirServer) else str(row)


def name_rows(form: "forms.BaseForm") -> None:
    """Has each list of rows call them so."""
    for field in form.fields.values():
        if isinstance(field, forms.ModelChoiceField):
            cast(Any, field).label_from_instance = row_name


class Rows(ModelMultipleChoiceField):
    """Some rows of another table, ticked."""

    def clean(self, value: Any) -> Any:
        if isinstance(value, list | tuple) and (odd := [str(one) for one in value if not is_row_id(str(one))]):
            raise forms.ValidationError(self.error_messages["invalid_choice"], params={"value": odd[0][:40]})
        return super().clean(value)


class RegistrationForm(ModelForm):
    """The form of a row that is judged by the rules of registration, and by nothing else."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_choices(self)
        name_rows(self)

    def _get_validation_exclusions(self) -> set[str]:
        return {field.name for field in self.instance._meta.get_fields()}


def name_choices(form: "forms.BaseForm") -> None:
    """Has each list of choices refuse a value in the words of registration."""
    for field in form.fields.values():
        if isinstance(field, forms.ChoiceField):
            choices: Any = field.choices
            known = ", ".join(str(value) for value, _ in choices if value)
            field.error_messages["invalid_choice"] = f"must be one of {known}, not '%(value)s'."


class Text(forms.CharField):
    """A line of text."""

    def __init__(self, *, longest: int = 0, **options: Any) -> None:
        super().__init__(**{"error_messages": {"required": MISSING}, **options})
        self.validators = []
        if longest:
            self.widget.attrs["maxlength"] = str(longest)


class Number(forms.IntegerField):
    """A whole number."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        wrong = f"must be a whole number from {least} to {most}."
        super().__init__(**{"error_messages": {"invalid": wrong, "required": wrong}, **options})
        self.widget.attrs |= {"min": str(least), "max": str(most)}


class Seconds(Number):
    """A length of time; empty or 0 means that something else decides."""

    def __init__(self, most: int, **options: Any) -> None:
        super().__init__(0, most, **{"required": False, **options})

    def to_python(self, value: Any) -> int | None:
        return super().to_python(value) or 0


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


class Words(Text):
    """A list, kept as words, however they are typed."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 70, "spellcheck": "false", "autocapitalize": "off"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, **options})

    def prepare_value(self, value: Any) -> str:
        return "\n".join(str(value or "").split())

    def to_python(self, value: Any) -> str:
        return " ".join((super().to_python(value) or "").split())

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(initial or "").split() != str(data or "").split()


class Lines(Words):
    """A list, one entry on a line, kept as words."""

    def to_python(self, value: Any) -> str:
        lines = [line.strip() for line in str(value or "").splitlines()]
        if problems := blank_problems(line for line in lines if line):
            raise forms.ValidationError(problems)
        return super().to_python(value)
