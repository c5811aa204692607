"""Django's classes that take a parameter for type checkers and none at run time: import them from here to derive."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import forms as auth_forms
from django.core import paginator

from accounts.models import User

if TYPE_CHECKING:

    class ModelForm(forms.ModelForm[Any]):
        """With the two hooks of Django's own forms that the stubs do not tell."""

        def _post_clean(self) -> None: ...
        def _save_m2m(self) -> None: ...

    ModelMultipleChoiceField = forms.ModelMultipleChoiceField[Any]
    AdminUserCreationForm = auth_forms.AdminUserCreationForm[User]
    AdminPasswordChangeForm = auth_forms.AdminPasswordChangeForm[Any]
    ModelAdmin = admin.ModelAdmin[Any]
    StackedInline = admin.StackedInline[Any, Any]
    UserAdmin = auth_admin.UserAdmin[User]
    Paginator = paginator.Paginator[Any]
else:
    ModelForm = forms.ModelForm
    ModelMultipleChoiceField = forms.ModelMultipleChoiceField
    AdminUserCreationForm = auth_forms.AdminUserCreationForm
    AdminPasswordChangeForm = auth_forms.AdminPasswordChangeForm
    ModelAdmin = admin.ModelAdmin
    StackedInline = admin.StackedInline
    UserAdmin = auth_admin.UserAdmin
    Paginator = paginator.Paginator
