"""What the admin's tests share: staff with few rights, and the form of a draft as a browser would send it."""

from __future__ import annotations

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from notifications.models import TemplateVersion
from notifications.services import templates


@pytest.fixture
def log_in(db, django_user_model):
    """Return a function that logs in a member of staff with these permissions, and returns their client."""

    def log_in(*codenames):
        staff = django_user_model.objects.create_user("staff", is_staff=True)
        staff.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = Client()
        client.force_login(staff)
        client.staff = staff  # type: ignore[attr-defined]
        return client

    return log_in


@pytest.fixture
def draft(template, admin_user):
    """The draft of ORDER_CREATED: a copy of what is live."""
    return templates.draft_of(template, user=admin_user)


@pytest.fixture
def fill():
    """Return a function that fills the form of a version: (channel, locale) → texts to change, None to delete."""

    def fill(version, changes=None):
        changes = changes or {}
        rows = list(version.contents.order_by("pk"))
        forms = []
        for row in rows:
            texts = changes.get((row.channel, row.locale), {})
            form = {"id": row.pk, "title": row.title, "body": row.body, "html": row.html}
            forms.append({**form, "DELETE": "on"} if texts is None else {**form, **texts})
        known = {(row.channel, row.locale) for row in rows}
        for (channel, locale), texts in changes.items():
            if (channel, locale) not in known:
                forms.append({"channel": channel, "locale": locale, **texts})
        return numbered(version, forms, initial=len(rows))

    return fill


def numbered(version, forms, *, initial):
    """Return forms as one POST."""
    data = {"contents-TOTAL_FORMS": len(forms), "contents-INITIAL_FORMS": initial}
    for index, form in enumerate(forms):
        data[f"contents-{index}-version"] = version.pk
        data |= {f"contents-{index}-{name}": value for name, value in form.items()}
    return data


@pytest.fixture
def address():
    """Return a function that gives the address of an admin page: `address("template", "change", "ORDER_CREATED")`."""

    def address(model, view, *args):
        return reverse(f"admin:notifications_{model}_{view}", args=[quote(arg) for arg in args])

    return address


@pytest.fixture
def live():
    """Return a function that gives what is live: (channel, locale) → body."""

    def live(template):
        template.refresh_from_db()
        version = TemplateVersion.objects.get(pk=template.live_version_id)
        return {(row.channel, row.locale): row.body for row in version.contents.all()}

    return live
