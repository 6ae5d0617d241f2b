"""Whatever is typed into an address or a search box, and whatever is stored: a page, and no foreign script on it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from notifications.models import (
    ApiKey,
    Attempt,
    Category,
    Delivery,
    Event,
    Notification,
    Preference,
    RecipientSettings,
    Template,
    TemplateContent,
    TemplateVersion,
)
from notifications.services import templates
from tests.factories import make_broadcast

SCRIPT = "<script>alert(1)</script>"
MODELS = [
    "event", "notification", "delivery", "broadcast", "template", "templateversion", "category", "recipientsettings",
    "preference", "apikey", "suppression", "endpoint",
]  # fmt: skip
GARBAGE = ["\x00", "a\x00b", "'; DROP TABLE users; --", "%", "\\", "9" * 400, "😀", "::1", "{" * 50, " ", SCRIPT]

QUESTIONS = [
    "state__exact=nothing", "state__exact=%00", "priority__exact=x", "priority__exact=" + "9" * 400, "template=%00",
    "template__code__exact=NOTHING", "id__exact=x", "event_id__exact=x", "about__regex=(", "variables__contains=x",
    "recipient__password__startswith=a", "recipient__exact=x", "recipient__exact=" + "9" * 40, "p=x", "p=-1", "p=0",
    "p=99999999999999999999", "o=x", "o=999", "all=", "e=1", "nothing=1", "_facets=1", "category__exact=%00", "%00=1",
    "broadcast__exact=x", "notification__exact=x", "state__isnull=x", "state__isnull=%00", "id__in=x",
]  # fmt: skip


@pytest.fixture
def scripted(db, django_user_model, admin_user):
    """One row of each kind, with a script wherever text can stand."""
    now = timezone.now()
    user = django_user_model.objects.create(username=SCRIPT, email=f"{SCRIPT}@example.com", first_name=SCRIPT)
    category = Category.objects.create(code="orders", name=SCRIPT, description=SCRIPT)
    template = Template.objects.create(
        code="ORDER_CREATED",
        name=SCRIPT,
        description=SCRIPT,
        category=category,
        variables={SCRIPT: {"sample": SCRIPT, "required": True}, "shown": {"sample": SCRIPT}},
    )
    version = TemplateVersion.objects.create(template=template, number=1, published_at=now)
    texts = {"title": SCRIPT, "body": SCRIPT, "html": SCRIPT}
    TemplateContent.objects.create(version=version, channel="email", locale=SCRIPT[:20], **texts)
    Template.objects.update(live_version=version)
    template.refresh_from_db()
    templates.draft_of(template, user=admin_user)
    link = {"action_url": SCRIPT, "action_text": SCRIPT, "about": SCRIPT}
    broadcast = make_broadcast(template, recipient_count=1, created_at=now)
    event = Event.objects.create(
        template=template, variables={SCRIPT: SCRIPT}, recipients=[str(user.pk), SCRIPT], channels=[SCRIPT], due_at=now,
        created_at=now, idempotency_key=SCRIPT, last_error=SCRIPT, broadcast=broadcast, **link,
    )  # fmt: skip
    told = {"recipient": user, "template": template, "version": version, "category": category, "created_at": now}
    notification = Notification.objects.create(event_id=event.pk, title=SCRIPT, body=SCRIPT, **link, **told)
    delivery = Delivery.objects.create(
        event_id=event.pk, notification=notification, channel="email", address=f"{SCRIPT}@{SCRIPT}", due_at=now,
        content={SCRIPT: SCRIPT}, last_error=SCRIPT, backend=SCRIPT, provider_message_id=SCRIPT, **told,
    )  # fmt: skip
    Attempt.objects.create(
        delivery=delivery, number=1, backend=SCRIPT, started_at=now, duration=timedelta(seconds=1), outcome="sent",
        code=SCRIPT, detail=SCRIPT,
    )  # fmt: skip
    RecipientSettings.objects.create(recipient=user, phone="+4915550001001", locale=SCRIPT[:20], time_zone=SCRIPT)
    Preference.objects.create(recipient=user, category=category, channel="email")
    key = ApiKey.objects.create(name=SCRIPT, prefix=SCRIPT[:20], templates=[SCRIPT], created_at=now)
    return [user, category, template, *TemplateVersion.objects.all(), event, notification, delivery, broadcast, key]


def test_a_stored_script_is_escaped_on_every_page(admin_client, scripted):
    rows = [*scripted, Preference.objects.get(), RecipientSettings.objects.get()]
    for row in rows:
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        pages = [
            admin_client.get(reverse(f"{name}_changelist")),
            admin_client.get(reverse(f"{name}_change", args=[row.pk])),
            admin_client.get(reverse(f"{name}_history", args=[row.pk])),
            admin_client.get(reverse(f"{name}_delete", args=[row.pk])),
        ]
        for page in pages:
            assert page.status_code in (200, 403), page.request["PATH_INFO"]
            assert SCRIPT not in page.text, page.request["PATH_INFO"]


def test_a_script_in_the_editor_comes_back_escaped(admin_client, scripted):
    draft = TemplateVersion.objects.get(published_at=None)
    (row,) = draft.contents.all()
    data = {"contents-TOTAL_FORMS": 2, "contents-INITIAL_FORMS": 1, "contents-0-id": row.pk, "contents-0-body": SCRIPT}
    data |= {"contents-0-version": draft.pk, "contents-1-version": draft.pk, "contents-1-channel": SCRIPT}
    data |= {"contents-0-title": "{% " + SCRIPT + " %}", "contents-1-locale": SCRIPT, "contents-1-body": SCRIPT}

    page = admin_client.post(reverse("admin:notifications_templateversion_change", args=[draft.pk]), data)

    assert page.status_code == 200
    assert SCRIPT not in page.text


@pytest.mark.parametrize("model", [*MODELS, "user"])
def test_garbage_in_the_search_box_finds_nothing(admin_client, scripted, address, model):
    here = reverse("admin:auth_user_changelist") if model == "user" else address(model, "changelist")
    for term in GARBAGE:
        page = admin_client.get(here, {"q": term}, follow=True)

        assert page.status_code == 200, term
        assert SCRIPT not in page.text


@pytest.mark.parametrize("model", MODELS)
def test_garbage_in_the_address_of_a_list_is_answered(admin_client, scripted, address, model):
    for question in QUESTIONS:
        page = admin_client.get(f"{address(model, 'changelist')}?{question}", follow=True)

        assert page.status_code == 200, question


@pytest.mark.parametrize("model", [*MODELS, "user"])
@pytest.mark.parametrize("view", ["change", "delete", "history"])
def test_the_page_of_nothing_says_so(admin_client, db, model, view):
    app = "auth" if model == "user" else "notifications"
    for pk in ["x", "0", "-1", "9" * 40, "٣", "\x00", "_00", "a/b", "😀", "00000000-0000-7000-8000-000000000000"]:
        for method in (admin_client.get, admin_client.post):
            page = method(reverse(f"admin:{app}_{model}_{view}", args=[pk]), follow=True)

            assert page.status_code in (200, 403), pk


@pytest.mark.parametrize("code", ["NOTHING", "\x00", "_00", "a/b"])
def test_the_wording_of_nothing_cannot_be_edited(admin_client, address, code):
    page = admin_client.post(address("template", "edit_wording", code), follow=True)

    assert page.status_code == 200
    assert "There is no template" in page.text


@pytest.mark.parametrize("selected", ["NOTHING", "\x00", "9" * 400])
def test_an_action_on_nothing_changes_nothing(admin_client, scripted, address, selected):
    data = {"action": "disable", "_selected_action": selected, "index": "0"}

    assert admin_client.post(address("template", "changelist"), data, follow=True).status_code == 200
    assert not Template.objects.filter(disabled_at__isnull=False).exists()


@pytest.mark.parametrize("field", ["recipient", "category", "template"])
def test_garbage_in_an_autocomplete_finds_nothing(admin_client, scripted, field):
    for term in GARBAGE:
        query = {"app_label": "notifications", "model_name": "preference", "field_name": field, "term": term}
        answer = admin_client.get(reverse("admin:autocomplete"), query)

        assert answer.status_code == 200, term
