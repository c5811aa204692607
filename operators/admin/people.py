"""People: who signs in, who they are on FHIR servers, which patients they may act for, and whether they may come in."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString

from accounts.address import client_address
from accounts.models import User
from accounts.password_hasher import hashing_for
from audit.event_kinds import EventKind
from oauth.ending import access, passwords
from oauth.ending.people import suspend
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Selection
from oauth.models import ActsFor, Authorization, FhirIdentity
from operators.admin import confirmation
from operators.admin.django_generics import StackedInline, UserAdmin
from operators.admin.model_admin import OperatorAdmin, actor, record_operator_events
from operators.admin.person_filters import ROLE, STATE
from operators.admin.person_forms import PROFILE, FhirIdentityForm, NewPasswordForm, NewPersonForm, PersonForm
from operators.admin.rendering import count_text, shorten, tag, time_element
from smart.time_units import SECOND


class FhirIdentityInline(StackedInline):
    """Who a person is on FHIR servers, and which patients they may act for there."""

    model = FhirIdentity
    form = FhirIdentityForm
    extra = 1


@admin.register(User)
class PersonAdmin(OperatorAdmin, UserAdmin):  # Django's form, password page and all, in our list
    list_display = ("username", "shown_name", "identities", "records", "last_sign_in", "state")
    list_filter = (STATE, ROLE)
    search_fields = ("username",)
    search_help_text = "user name, name, or fhirUser such as Patient/amy"
    ordering = ("-pk",)
    filter_horizontal = ()
    also_saved = ("is_superuser", "updated_at")
    actions = ("suspend", "lift_suspension", "end_access", "require_password")
    fieldsets = ((None, {"fields": PROFILE}),)
    add_fieldsets = ((None, {"fields": (*PROFILE, "usable_password", "password1", "password2")}),)
    form = PersonForm
    add_form = NewPersonForm
    change_password_form = NewPasswordForm
    readonly_fields = ()
    inlines = (FhirIdentityInline,)
    change_form_template = "admin/accounts/user/change_form.html"
    add_form_template = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        acted = ActsFor.objects.filter(identity__user=OuterRef("pk")).order_by().values("identity__user")
        count = Coalesce(Subquery(acted.annotate(n=Count("pk")).values("n")), 0)
        return super().get_queryset(request).annotate(records=count).prefetch_related("identities__fhir_server")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if not term or "\0" in term:
            return (queryset.none() if term else queryset), False
        if "/" in term:
            return queryset.filter(pk__in=FhirIdentity.objects.filter(resource=term).values("user")), False
        return queryset.filter(Q(username__istartswith=term) | Q(name__icontains=term)), False

    @admin.display(description="name")
    def shown_name(self, row: User) -> str:
        return shorten(row.name)

    @admin.display(description="is (fhirUser)")
    def identities(self, row: User) -> str:
        return shorten(
            ", ".join(f"{one.resource} at {one.fhir_server.name_and_version}" for one in row.identities.all()) or "-"
        )

    @admin.display(description="may act for")
    def records(self, row: Any) -> str:
        return count_text(row.records, "patient")

    @admin.display(description="last sign-in", ordering="last_login")
    def last_sign_in(self, row: User) -> SafeString | str:
        return time_element(int(row.last_login.timestamp()) * SECOND if row.last_login else 0)

    @admin.display(description="state")
    def state(self, row: User) -> SafeString:
        if row.suspended_at:
            return tag("suspended", "bad")
        return tag("operator" if row.is_staff else "may sign in", "good")

    def event_fields(self, row: User) -> dict[str, str]:
        return {"person": row.subject}

    def actions_for(self, row: User) -> Sequence[str]:
        return ("lift_suspension" if row.suspended_at else "suspend", "end_access", "require_password")

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """A first password is hashed here, on behalf of the operator, in the transaction of Django's view."""
        with hashing_for(client_address(request)):
            return super().save_form(request, form, change)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """An operator may do everything here: there is no half of one. Nobody takes their own rights away."""
        if obj.pk == request.user.pk and not obj.is_staff:
            obj.is_staff = True
            self.message_user(request, "You stay an operator: another operator must change that.", messages.WARNING)
        obj.is_superuser = obj.is_staff
        if change:
            obj.mark_updated(form.changed_data)
        if change and form.is_no_longer_verified():
            self.message_user(request, "The new email address is not verified.", messages.WARNING)
        super().save_model(request, obj, form, change)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.changed_by = actor(request)  # Django's form of a new password knows only the row
        return row

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002
        """One's own password has its own page, which asks for the old one, however the address spells the number."""
        person = self.get_object(request, unquote(id))
        if person is not None and person.pk == request.user.pk:
            return redirect("/password")
        return super().user_change_password(request, id, form_url)

    # What ends ------------------------------------------------------------------------------------------------------

    @admin.action(description="Suspend and end all access")
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        others = _others(queryset, request)
        if not others.exists():
            self.message_user(request, "You cannot suspend yourself.", messages.ERROR)
            return None
        if not confirmation.is_confirmed(request):
            return self._confirmation(
                request, others, "Suspend and end all access", "They cannot sign in until the suspension is lifted."
            )
        for person in (found := list(others)):
            suspend(person, actor(request))
        self._tell(request, "Suspended {}.", found)
        return None

    @admin.action(description="Lift the suspension")
    def lift_suspension(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        if not confirmation.is_confirmed(request):
            ending = ["Nothing. What ended stays ended; they may sign in again."]
            return confirmation.page(
                request, self, queryset, title="Lift the suspension?", button="Lift the suspension", ending=ending
            )
        with transaction.atomic():
            found = list(queryset.filter(suspended_at__gt=0))
            User.objects.get_queryset().filter(pk__in=[person.pk for person in found]).lift_suspension()
            record_operator_events(request, EventKind.SUSPENSION_LIFTED, *map(self.event_fields, found))
        self._tell(request, "Lifted the suspension of {}.", found)
        return None

    @admin.action(description="End all access of these people")
    def end_access(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        if not confirmation.is_confirmed(request):
            lead = "They may sign in and allow apps again at once."
            return self._confirmation(request, queryset, "End all access of these people", lead)
        for person in (found := list(queryset)):
            access.end(Selection.everything(person), actor(request), EndedFor.PERSON_ENDED)
        self._tell(request, "Ended all access of {}.", found)
        return None

    @admin.action(description="Require a new password")
    def require_password(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        others = _others(queryset, request)
        if not confirmation.is_confirmed(request):
            ending = ["Their sessions. Apps keep what they were allowed."]
            title = "Require a new password"
            lead = "They choose a new password after the next sign-in, before anything else."
            return confirmation.page(request, self, others, title=f"{title}?", button=title, ending=ending, lead=lead)
        for person in others:
            passwords.require_new_password(person, actor(request))
        self.message_user(request, f"Required of {count_text(len(others), 'person', 'people')}.")
        return None

    def _confirmation(self, request: HttpRequest, queryset: QuerySet[User], button: str, lead: str) -> HttpResponse:
        of = Authorization.objects.filter(user__in=queryset.values("pk"))
        return confirmation.page(
            request, self, queryset, title=f"{button}?", button=button, ending=confirmation.consequences(of), lead=lead
        )

    def _tell(self, request: HttpRequest, said: str, people: Sequence[User]) -> None:
        self.message_user(request, said.format(count_text(len(people), "person", "people")))


def _others(people: QuerySet[User], request: HttpRequest) -> QuerySet[User]:
    """All but the operator who asks."""
    return people.exclude(username=request.user.get_username())
