"""The forms of a person: name and address, password, and who they are on FHIR servers."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import User
from accounts.usernames import compose_username, is_similar_taken
from oauth.ending import passwords
from oauth.models import ActsFor, FhirIdentity, PatientRecord
from oauth.registration import people as registration
from oauth.registration.problems import MAX_NAME_LENGTH
from operators.admin.django_generics import AdminPasswordChangeForm, AdminUserCreationForm, ModelForm
from operators.admin.fields import Flag, RegistrationForm, Text, Words, name_rows, show_problems
from smart.fhir.id import is_fhir_id

PROFILE = ("username", "name", "given_name", "family_name", "locale", "email", "email_verified", "is_staff")


class UsernameField(Text):
    """A user name, however its accents were typed."""

    def to_python(self, value: Any) -> str:
        return compose_username(super().to_python(value) or "")


class PersonRules(RegistrationForm):
    """What a person's two forms share: the fields, and the rules of registration."""

    username = UsernameField(longest=150)
    name = Text(longest=MAX_NAME_LENGTH, required=False)
    given_name = Text(longest=MAX_NAME_LENGTH, required=False)
    family_name = Text(longest=MAX_NAME_LENGTH, required=False)
    locale = Text(longest=35, required=False, help_text="The language, such as en or de-AT.")
    email = Text(required=False, widget=forms.EmailInput)
    email_verified = Flag(label="Email is verified", help_text="You vouch that it reaches this person; apps hear so.")
    is_staff = forms.BooleanField(label="Operator", required=False, help_text="May use this admin, all of it.")

    class Meta:
        model = User
        fields = PROFILE

    def _post_clean(self) -> None:
        super()._post_clean()
        person, renamed = self.instance, "username" in self.changed_data
        person.username = self.cleaned_data.get("username", person.username)  # Django has changed its width silently
        if self.is_no_longer_verified():
            person.email_verified = 0
        taken = renamed and is_similar_taken(person.username, but=person.pk)
        problems = registration.problems(person, name_is_taken=taken)
        if not renamed:
            problems.pop("username", None)  # a name from before this rule stays
        show_problems(self, problems)

    def is_no_longer_verified(self) -> bool:
        """Whether the tick was set for another address."""
        ticked, asked = self.initial.get("email_verified"), self.changed_data
        return bool(self.instance.pk and ticked and "email" in asked and "email_verified" not in asked)


class PersonForm(PersonRules):
    """A person who is there."""


class NewPersonForm(PersonRules, AdminUserCreationForm):
    """A person with a first password."""

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"])  # Django looks for others with this name before the rules do


class NewPasswordForm(AdminPasswordChangeForm):
    """A password that an operator sets or takes away; with the old one its sessions and apps end."""

    def save(self, commit: bool = True) -> Any:
        password = self.cleaned_data["password1"] if self.cleaned_data["set_usable_password"] else None
        passwords.set_password(self.user, password, self.user.changed_by)
        return self.user


class FhirIdentityForm(ModelForm):
    resource = Text(label="Is (fhirUser)", help_text="Such as Patient/amy or Practitioner/dr-green.")
    acts_for = Words(
        label="May act for",
        help_text="FHIR ids of patients, one on each line; the person's own too.",
        widget=forms.Textarea(attrs={"rows": 3, "cols": 24, "spellcheck": "false"}),
    )

    class Meta:
        model = FhirIdentity
        fields = ("fhir_server", "resource")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_rows(self)
        if self.instance.pk:
            self.initial["acts_for"] = " ".join(self._rows().values_list("record__patient", flat=True))

    def _rows(self) -> QuerySet[ActsFor]:
        return self.instance.acts_for.order_by("record__patient")

    def _post_clean(self) -> None:
        super()._post_clean()
        server, wanted = self.cleaned_data.get("fhir_server"), self.cleaned_data.get("acts_for", "").split()
        sought = [one for one in wanted if is_fhir_id(one)]
        found = PatientRecord.objects.filter(fhir_server=server, patient__in=sought)
        self.records = {record.patient: record.pk for record in found}
        if server:
            show_problems(self, registration.identity_problems(self.instance, wanted, self.records))

    def _save_m2m(self) -> None:
        super()._save_m2m()
        before = set(self._rows().values_list("record", flat=True))
        keep = set(self.records.values())
        self.instance.acts_for.filter(record__in=before - keep).delete()
        ActsFor.objects.bulk_create(ActsFor(identity=self.instance, record_id=pk) for pk in sorted(keep - before))
