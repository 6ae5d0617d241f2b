"""
The roles of staff: groups that come with the system, each with what its work needs.

Made after `migrate` where they are missing. A group that is there is left as staff have made it; `reset` undoes that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

if TYPE_CHECKING:
    from collections.abc import Iterable


_LOGS = ["event", "notification", "delivery", "attempt", "providerevent"]
_PEOPLE = ["recipientsettings", "preference", "consentchange", "suppression", "endpoint", "mute"]
_OPERATIONS = ["broadcast", "workerheartbeat", "pause"]
_WORDS = ["template", "templateversion", "templatecontent", "category"]


def _view(models: Iterable[str]) -> list[str]:
    return [f"notifications.view_{model}" for model in models]


_EDITOR = [*_view(_WORDS), "notifications.change_templateversion", "notifications.delete_templateversion"]
_SUPPORT = [
    *_view([*_LOGS, *_PEOPLE, *_WORDS, "broadcast"]),
    "auth.view_user",
    "notifications.act_for_recipient",
]

#: Name of the group → permissions.
ROLES: dict[str, list[str]] = {
    "Template editor": _EDITOR,
    "Template publisher": [
        *_EDITOR,
        "notifications.publish_templateversion",
        "notifications.add_template",
        "notifications.change_template",
        "notifications.add_category",
        "notifications.change_category",
    ],
    "Operator": [
        *_SUPPORT,
        *_view([*_OPERATIONS, "erasure"]),
        "notifications.add_suppression",
        "notifications.change_suppression",
        "notifications.view_apikey",
        "notifications.view_dashboard",
        "notifications.reveal_delivery",
        "notifications.redrive_delivery",
        "notifications.cancel_delivery",
        "notifications.pause_sending",
        "notifications.send_broadcast",
        "notifications.erase_recipient",
    ],
    "Support": _SUPPORT,
    "Auditor": [
        *_view([*_LOGS, *_PEOPLE, *_WORDS, *_OPERATIONS, "apikey", "erasure"]),
        "notifications.view_dashboard",
        "auth.view_user",
        "auth.view_group",
    ],
}


def create_missing(**kwargs: Any) -> None:
    """Make the groups that are not there; a receiver of `post_migrate`."""
    there = set(Group.objects.filter(name__in=ROLES).values_list("name", flat=True))
    missing = [name for name in ROLES if name not in there]
    if missing:
        # Django makes them after us: its app comes later.
        for label in ("auth", "notifications"):
            create_permissions(apps.get_app_config(label), verbosity=0)
        reset(missing)


def reset(names: Iterable[str]) -> None:
    """Give these roles what they come with, no more and no less; make those that are not there."""
    for name in names:
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(_permissions(ROLES[name]))


def _permissions(names: list[str]) -> list[Permission]:
    wanted = Q()
    for name in set(names):
        label, codename = name.split(".")
        wanted |= Q(content_type__app_label=label, codename=codename)
    return list(Permission.objects.filter(wanted))
