"""Who may open which page: every address of the admin, as every role, against one table."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.test import Client

from notifications.services import roles
from tests.staff_pages import make_everything, pages, path_of

ROLES = {"E": "Template editor", "P": "Template publisher", "O": "Operator", "S": "Support", "A": "Auditor"}
NOBODY = ""
#: Model → who may see its list, rows and history; who may add; who may edit; who may delete. Superusers may do all.
MODELS = {
    "auth.group": ("A", NOBODY, NOBODY, NOBODY),
    "auth.user": ("OSA", NOBODY, NOBODY, NOBODY),
    "inventory.product": (NOBODY, NOBODY, NOBODY, NOBODY),
    "inventory.stockitem": (NOBODY, NOBODY, NOBODY, NOBODY),
    "notifications.apikey": ("OA", NOBODY, NOBODY, NOBODY),
    "notifications.broadcast": ("OSA", NOBODY, NOBODY, NOBODY),
    "notifications.category": ("EPOSA", "P", "P", NOBODY),
    "notifications.consentchange": ("OSA", NOBODY, NOBODY, NOBODY),
    "notifications.delivery": ("OSA", NOBODY, NOBODY, NOBODY),
    "notifications.endpoint": ("OSA", NOBODY, NOBODY, NOBODY),
    "notifications.erasure": ("OA", NOBODY, NOBODY, NOBODY),
    "notifications.event": ("OSA", NOBODY, NOBODY, NOBODY),
    "notifications.mute": ("OSA", NOBODY, NOBODY, NOBODY),
    "notifications.notification": ("OSA", NOBODY, NOBODY, NOBODY),
    "notifications.pause": ("OA", NOBODY, NOBODY, NOBODY),
    "notifications.preference": ("OSA", NOBODY, NOBODY, NOBODY),
    "notifications.recipientsettings": ("OSA", NOBODY, NOBODY, NOBODY),
    "notifications.suppression": ("OSA", "O", "O", NOBODY),
    "notifications.template": ("EPOSA", "P", "P", NOBODY),
    "notifications.templateversion": ("EPOSA", NOBODY, "EP", "EP"),
    "notifications.workerheartbeat": ("OA", NOBODY, NOBODY, NOBODY),
    "orders.order": (NOBODY, NOBODY, NOBODY, NOBODY),
    "payments.payment": (NOBODY, NOBODY, NOBODY, NOBODY),
}
#: Our own pages: how they are opened, and who may. A button is pressed without what its form would say with it.
OWN_PAGES = {
    "notifications_broadcast_compose": ("get", "O"),
    # A draft is its author's: others who may send are told that there is none.
    "notifications_broadcast_message": ("post", "O"),
    "notifications_broadcast_audience": ("post", "O"),
    "notifications_broadcast_review": ("post", "O"),
    "notifications_broadcast_count": ("post", "O"),
    "notifications_broadcast_recount": ("post", "O"),
    "notifications_broadcast_discard": ("post", "O"),
    "notifications_broadcast_progress": ("get", "OSA"),
    "notifications_broadcast_control": ("post", "O"),
    "notifications_dashboard": ("get", "OA"),
    "notifications_failures": ("get", "OA"),
    "notifications_failures_again": ("post", "O"),
    "notifications_pause_begin": ("post", "O"),
    "notifications_pause_resume": ("get", "O"),
    "notifications_retention": ("get", "OA"),
    "auth_user_password_change": ("get", NOBODY),
    "notifications_apikey_rotate": ("get", NOBODY),
    "notifications_why": ("get", "OSA"),
    "notifications_people": ("get", "OSA"),
    "notifications_person": ("get", "OSA"),
    "notifications_export": ("post", "O"),
    "notifications_erase": ("get", "O"),
    "notifications_template_coverage": ("get", "EPOSA"),
    "notifications_template_versions": ("get", "EPOSA"),
    "notifications_template_compare": ("get", "EPOSA"),
    "notifications_template_publish": ("get", "P"),
    "notifications_template_edit_wording": ("post", "EP"),
    "notifications_template_roll_back": ("post", "P"),
    "notifications_templateversion_preview": ("post", "EPOSA"),
    "notifications_templateversion_test": ("post", "EP"),
    "notifications_delivery_bulk_cancel": ("get", "O"),
    "notifications_delivery_bulk_retry": ("get", "O"),
    "notifications_delivery_cancel": ("post", "O"),
    "notifications_delivery_resend": ("post", "O"),
    "notifications_delivery_retry": ("post", "O"),
    "notifications_delivery_reveal": ("post", "O"),
    "notifications_event_reveal": ("post", "O"),
    "notifications_notification_reveal": ("post", "O"),
    "notifications_find": ("get", "OSA"),
    "notifications_timeline": ("get", "OSA"),
    "notifications_timeline_address": ("get", "OSA"),
}
#: Pages of no model, for all who are let into the admin.
SHARED = {"search", "index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n"}
SHARED |= {"view_on_site", "app_list"}


@pytest.fixture
def rows(admin_user, alice):
    return make_everything(admin_user, alice)


@pytest.fixture
def client_of(django_user_model):
    """Return a function that gives a client of a member of staff with this role; None: with none."""

    def client_of(role):
        user = django_user_model.objects.create_user(f"staff {role}", is_staff=True)
        user.groups.set(Group.objects.filter(name=role))
        client = Client()
        client.force_login(user)
        return client

    return client_of


def method_of(page):
    """Return how a page is opened."""
    return OWN_PAGES.get(page.name, ("get",))[0]


def opens(client, page, path):
    """Tell whether a page shows itself."""
    method = method_of(page)
    answer = getattr(client, method)(path)
    expected = {200, 302, 403} if method == "get" else {200, 302, 403, 404}
    assert answer.status_code in expected, (page.name, answer.status_code)
    return answer.status_code == 200 or (method == "post" and answer.status_code != 403)


def wanted(page):
    """Return the letters of those who may open a page."""
    if page.name in OWN_PAGES:
        return OWN_PAGES[page.name][1]
    sees, adds, _, deletes = MODELS[page.model]
    return {"changelist": sees, "change": sees, "history": sees, "add": adds, "delete": deletes}[page.view]


def of_models():
    return [page for page in pages() if page.name not in SHARED]


@pytest.mark.django_db
@pytest.mark.parametrize("letter", ROLES)
def test_a_role_opens_exactly_its_pages(client_of, rows, letter):
    client = client_of(ROLES[letter])
    found = {page.name: opens(client, page, path_of(page, rows)) for page in of_models()}

    assert found == {page.name: letter in wanted(page) for page in of_models()}


@pytest.mark.parametrize("letter", ROLES)
def test_a_role_edits_exactly_what_it_may(client_of, rows, letter):
    client = client_of(ROLES[letter])
    forms = {
        model: client.get(path_of(page, rows))
        for page in of_models()
        if page.view == "change"
        for model in [page.model]
    }
    may = {model for model, form in forms.items() if 'name="_save"' in form.text}

    assert may == {model for model, (_, _, edits, _) in MODELS.items() if letter in edits}
    posted = {model: client.post(form.request["PATH_INFO"]).status_code for model, form in forms.items()}
    assert {model for model, code in posted.items() if code != 403} == may


def test_staff_without_a_role_open_nothing(client_of, rows):
    client = client_of(None)

    assert [page.name for page in of_models() if opens(client, page, path_of(page, rows))] == []
    assert client.get("/admin/").status_code == 200


def test_whoever_is_not_staff_is_asked_to_log_in(client, alice, rows):
    customer = Client()
    customer.force_login(alice)
    for page in pages():
        if page.name not in {"login", "logout"}:
            for visitor in (client, customer):
                answer = getattr(visitor, method_of(page))(path_of(page, rows))
                assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/"), page.name


def test_superusers_open_all_there_is(admin_client, rows):
    closed = {page.name for page in of_models() if not opens(admin_client, page, path_of(page, rows))}

    # Nobody adds to a log, edits it or takes anything out of it.
    assert {name.rpartition("_")[2] for name in closed} <= {"add", "delete"}


@pytest.mark.django_db
def test_a_missing_role_is_made_and_one_that_staff_changed_is_left_alone():
    Group.objects.get(name="Auditor").delete()
    support = Group.objects.get(name="Support")
    support.permissions.set(Permission.objects.filter(codename="view_user"))

    call_command("migrate", verbosity=0)

    assert Group.objects.filter(name__in=roles.ROLES).count() == 5
    assert Group.objects.get(name="Auditor").permissions.filter(codename="view_dashboard").exists()
    assert [permission.codename for permission in support.permissions.all()] == ["view_user"]


@pytest.mark.django_db
def test_a_role_can_be_reset(capsys):
    Group.objects.get(name="Support").permissions.clear()
    Group.objects.get(name="Auditor").permissions.clear()

    call_command("reset_roles", "Support")

    assert Group.objects.get(name="Support").permissions.count() == len(set(roles.ROLES["Support"]))
    assert not Group.objects.get(name="Auditor").permissions.exists()
    call_command("reset_roles")
    for name, permissions in roles.ROLES.items():
        assert Group.objects.get(name=name).permissions.count() == len(set(permissions)), name
    with pytest.raises(CommandError, match=r"No role 'Suport' \(did you mean 'Support'\?\)\."):
        call_command("reset_roles", "Suport")
