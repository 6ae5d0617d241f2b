"""The menu beside every page of the admin: one line for each place, shown to those who may go there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django_stubs_ext import StrOrPromise

#: (heading, [(title, icon of Material Symbols, name of the address, permission)]). Add your page here.
SECTIONS: list[tuple[StrOrPromise, list[tuple[StrOrPromise, str, str, str]]]] = [
    (_("Overview"), [(_("Dashboard"), "monitoring", "admin:index", "notifications.view_dashboard")]),
    (
        _("Messages"),
        [
            (_("Templates"), "edit_note", "admin:notifications_template_changelist", "notifications.view_template"),
            (_("Languages"), "translate", "admin:notifications_template_coverage", "notifications.view_template"),
            (_("Categories"), "category", "admin:notifications_category_changelist", "notifications.view_category"),
            (_("Broadcasts"), "campaign", "admin:notifications_broadcast_changelist", "notifications.view_broadcast"),
        ],
    ),
    (
        _("Logs"),
        [
            (_("Find"), "search", "admin:notifications_find", "notifications.view_delivery"),
            (_("Deliveries"), "outbox", "admin:notifications_delivery_changelist", "notifications.view_delivery"),
            (
                _("Notifications"),
                "notifications",
                "admin:notifications_notification_changelist",
                "notifications.view_notification",
            ),
            (_("Events"), "bolt", "admin:notifications_event_changelist", "notifications.view_event"),
        ],
    ),
    (
        _("People"),
        [
            (_("People"), "support_agent", "admin:notifications_people", "notifications.view_recipientsettings"),
            (
                _("Why did they (not) get it?"),
                "help",
                "admin:notifications_why",
                "notifications.view_recipientsettings",
            ),
            (_("Users"), "person", "admin:auth_user_changelist", "auth.view_user"),
            (_("Preferences"), "tune", "admin:notifications_preference_changelist", "notifications.view_preference"),
            (
                _("History of consent"),
                "history",
                "admin:notifications_consentchange_changelist",
                "notifications.view_consentchange",
            ),
            (
                _("Suppressions"),
                "block",
                "admin:notifications_suppression_changelist",
                "notifications.view_suppression",
            ),
        ],
    ),
    (
        _("Operations"),
        [
            (
                _("Pauses and breakers"),
                "pause_circle",
                "admin:notifications_pause_changelist",
                "notifications.view_pause",
            ),
            (_("Failures by cause"), "error", "admin:notifications_failures", "notifications.view_dashboard"),
            (_("Retention"), "auto_delete", "admin:notifications_retention", "notifications.view_dashboard"),
            (
                _("Workers"),
                "memory",
                "admin:notifications_workerheartbeat_changelist",
                "notifications.view_workerheartbeat",
            ),
            (_("API keys"), "key", "admin:notifications_apikey_changelist", "notifications.view_apikey"),
        ],
    ),
]

#: Pages that have no line of their own: their address, and the line they belong to.
_BELONGING = {"admin:notifications_templateversion_changelist": "admin:notifications_template_changelist"}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu of who asks, as django-unfold draws it."""
    user, active = getattr(request, "user", None) or AnonymousUser(), _active(request.path)
    return [
        {
            "title": heading,
            "separator": True,
            "items": [
                {"title": title, "icon": icon, "link": reverse(address), "active": address == active}
                for title, icon, address, permission in lines
                # Who may change something may see it, says Django's admin.
                if user.has_perm(permission) or user.has_perm(permission.replace(".view_", ".change_"))
            ],
        }
        for heading, lines in SECTIONS
    ]


def _active(path: str) -> str:
    """Return the name of the address that a page belongs to: of several that it begins with, the longest; "": none."""
    if path == reverse("admin:index"):
        return "admin:index"
    addresses = [address for _heading, lines in SECTIONS for _title, _icon, address, _permission in lines]
    under = {reverse(address): address for address in addresses if address != "admin:index"}
    under |= {reverse(page): address for page, address in _BELONGING.items()}
    return under[max(above, key=len)] if (above := [begin for begin in under if path.startswith(begin)]) else ""
