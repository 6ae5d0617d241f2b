"""Categories for staff: what people opt in or out of, and what holds for those who have no wish."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from notifications.admin.base import CarefulAdmin, short_json
from notifications.admin_theme import Dressed
from notifications.models import Category
from notifications.pipeline import rules


class CategoryForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]
    """A category whose defaults the planner can read."""

    class Meta:
        model = Category
        widgets = {"defaults": short_json()}
        fields = ["code", "name", "description", "required", "defaults", "quiet_hours", "daily_cap"]

    def clean_defaults(self) -> dict[str, str]:
        """Return channel → cadence."""
        try:
            return rules.defaults(self.cleaned_data["defaults"] or {})
        except ValueError as e:
            raise ValidationError(str(e)) from e


@admin.register(Category)
class CategoryAdmin(CarefulAdmin):
    """What people opt in or out of."""

    form = CategoryForm
    list_display = ["code", "name", "required", "quiet_hours", "daily_cap", "description"]
    list_filter = ["required"]
    search_fields = ["code", "name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Category | None = None) -> list[str]:
        """Keep the code: templates and preferences point at it."""
        return ["code"] if obj else []
