"""What the picker shows of patients; a producer's own patients can be typed in here, and access to them ended."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts import clock
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Selection
from oauth.models import Authorization, PatientRecord
from oauth.registration import people as registration
from oauth.registration.problems import MAX_NAME_LENGTH
from operators.admin import confirmation
from operators.admin.django_generics import ModelForm
from operators.admin.fields import Text, name_rows, show_problems
from operators.admin.model_admin import OperatorAdmin, actor
from operators.admin.rendering import count_text, shorten
from smart.fhir.id import is_fhir_id
from smart.time_units import to_datetime


class PatientRecordForm(ModelForm):
    patient = Text(label="FHIR id", longest=64)
    name = Text(longest=MAX_NAME_LENGTH, required=False)
    sex = Text(required=False, help_text=f"One of {', '.join(registration.SEXES)}.")
    birth_date = Text(required=False, help_text="2017-05-04")
    record_number = Text(longest=MAX_NAME_LENGTH, required=False)
    died = Text(required=False, help_text="a year, if dead")

    class Meta:
        model = PatientRecord
        fields = ("fhir_server", "patient", "name", "sex", "birth_date", "record_number", "died")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_rows(self)

    def clean_patient(self) -> str:
        """Before the database is asked whether it is there already."""
        patient: str = self.cleaned_data["patient"]
        if not is_fhir_id(patient):
            raise forms.ValidationError(registration.NO_FHIR_ID)
        return patient

    def _post_clean(self) -> None:
        super()._post_clean()
        show_problems(self, registration.patient_problems(self.instance, today=to_datetime(clock.now()).date()))


@admin.register(PatientRecord)
class PatientRecordAdmin(OperatorAdmin):
    """What the picker shows of patients; a producer's own patients can be typed in here."""

    list_display = ("patient", "name", "birth_date", "record_number", "server")
    list_select_related = ("fhir_server",)
    search_fields = ("patient__exact", "name__icontains", "record_number__exact")
    search_help_text = "FHIR id, name or record number"
    ordering = ("-pk",)

    actions = ("end_access",)
    form = PatientRecordForm

    @admin.display(description="FHIR server", ordering="fhir_server__name")
    def server(self, row: PatientRecord) -> str:
        return shorten(row.fhir_server.name_and_version)

    def event_fields(self, row: PatientRecord) -> dict[str, str]:
        return {"patient": row.patient, "fhir_server": row.fhir_server.base}

    def actions_for(self, row: PatientRecord) -> Sequence[str]:
        return ("end_access",)

    @admin.action(description="End all access to these records")
    def end_access(self, request: HttpRequest, queryset: QuerySet[PatientRecord]) -> HttpResponse | None:
        if not confirmation.is_confirmed(request):
            about = queryset.filter(patient=OuterRef("patient"), fhir_server=OuterRef("fhir_server"))
            ending = confirmation.consequences(Authorization.objects.filter(Exists(about)))
            title, lead = "End all access to these records", "People may allow apps again at once."
            return confirmation.page(request, self, queryset, title=f"{title}?", button=title, ending=ending, lead=lead)
        records = [Q(patient=row.patient, fhir_server=row.fhir_server_id) for row in queryset]
        any_of = reduce(or_, records, Q(pk__in=[]))
        ended = access.end(Selection(any_of, any_of), actor(request), EndedFor.OPERATOR).authorizations
        self.message_user(request, f"Ended {count_text(ended, 'authorization')} and their tokens.")
        return None

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("fhir_server", "patient") if obj else ()
