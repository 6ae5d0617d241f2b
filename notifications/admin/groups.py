"""The roles of staff: Django's groups, in the look and with the care of the other pages."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as StockGroupAdmin
from django.contrib.auth.models import Group

from notifications.admin.base import CarefulAdmin

# Importing the stock admin has registered it: ours replaces it.
admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(StockGroupAdmin, CarefulAdmin):
    """Django's own. With a plain list of permissions: Django's box of two lists has no names for screen readers."""

    filter_horizontal = ()
