"""Templates and categories in the admin."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.admin.models import LogEntry

from notifications.models import Category, Template, TemplateVersion
from tests.factories import make_template

VALID = {"name": {"sample": "Alice", "required": True}}


def form(variables=VALID, **changes):
    text = variables if isinstance(variables, str) else json.dumps(variables)
    return {"code": "NEW_ONE", "name": "New", "category": "orders", "priority": "2", "variables": text, **changes}


def test_the_list_says_what_is_live(admin_client, template, draft, address):
    page = admin_client.get(address("template", "changelist"))

    for text in ("ORDER_CREATED", "in-app", "e-mail", "text message", "any, de", "v1 (draft v2)"):
        assert text in page.text


def test_the_list_does_not_read_more_for_more_templates(admin_client, template, address, django_assert_num_queries):
    here = address("template", "changelist")
    with django_assert_num_queries(9) as before:
        admin_client.get(here)
    for number in range(10):
        make_template(f"OTHER_{number}", category=f"category-{number}")

    with django_assert_num_queries(len(before)):
        admin_client.get(here)


def test_a_template_is_shown_with_its_live_wording(admin_client, template, address):
    page = admin_client.get(address("template", "change", "ORDER_CREATED"))

    for text in ("Live wording: v1", "Hello {{ recipient_name }}, we have it.", "In-app, de", "Edit wording"):
        assert text in page.text


def test_a_new_template_leads_to_its_empty_draft(admin_client, template, address):
    answer = admin_client.post(address("template", "add"), {**form(), "_save": "1"})

    created = Template.objects.get(code="NEW_ONE")
    draft = created.versions.get()
    assert answer.url == address("templateversion", "change", draft.pk)
    assert (created.variables, created.live_version, draft.published_at) == (VALID, None, None)
    assert "Nothing is published yet" in admin_client.get(address("template", "change", "NEW_ONE")).text
    assert "New wording" in admin_client.get(answer.url).text


def test_required_is_true_unless_said_otherwise(admin_client, template, address):
    admin_client.post(
        address("template", "add"), form({"name": {"sample": None}, "b": {"sample": 1, "required": False}})
    )

    stored = Template.objects.get(code="NEW_ONE").variables
    assert stored == {"name": {"sample": None, "required": True}, "b": {"sample": 1, "required": False}}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        pytest.param("{", "Enter a valid JSON.", id="not JSON"),
        pytest.param("[" * 100_000, "cannot be read as JSON", id="too deep to read"),
        pytest.param('{"a": {"sample": ' + "9" * 5000 + "}}", "cannot be read as JSON", id="endless number"),
        pytest.param([1], "Write an object", id="a list"),
        pytest.param({"a": 1}, "needs a sample", id="no declaration"),
        pytest.param({"a": {"required": True}}, "needs a sample", id="no sample"),
        pytest.param({"a": {"sample": 1, "requird": True}}, "did you mean &#x27;required&#x27;?", id="unknown key"),
        pytest.param({"a": {"sample": 1, "required": "yes"}}, "required is true or false", id="required is text"),
        pytest.param({"a b": {"sample": 1}}, "cannot be a name", id="no identifier"),
        pytest.param({"_a": {"sample": 1}}, "cannot be a name", id="underscore"),
        pytest.param({"forloop": {"sample": 1}}, "cannot be a name", id="a word of the language"),
        pytest.param({"site_name": {"sample": 1}}, "Every template has", id="reserved"),
        pytest.param('{"a": {"sample": "\\u0000"}}', "NUL character", id="nul"),
        pytest.param('{"a": {"sample": "\\ud800"}}', "lone surrogate", id="half a character"),
        pytest.param('{"a": {"sample": NaN}}', "JSON has no such number", id="nan"),
        pytest.param({"<script>alert(1)</script>": {"sample": 1}}, "&lt;script&gt;", id="script"),
    ],
)
def test_variables_that_cannot_be_used_are_refused_with_the_cure(admin_client, template, address, variables, message):
    page = admin_client.post(address("template", "add"), form(variables))

    assert page.status_code == 200
    assert message in page.text
    assert "<script>alert(1)" not in page.text
    assert not Template.objects.filter(code="NEW_ONE").exists()


@pytest.mark.parametrize("code", ["new one", "new_one", "", "ORDER_CREATED", "A\x00", "A" * 65])
def test_a_code_that_cannot_be_used_is_refused(admin_client, template, address, code):
    page = admin_client.post(address("template", "add"), form(code=code))

    assert page.status_code == 200
    assert Template.objects.count() == 1


@pytest.mark.parametrize("category", ["", "nothing", "a\x00", "9" * 400])
def test_a_category_that_is_not_there_is_refused(admin_client, template, address, category):
    assert admin_client.post(address("template", "add"), form(category=category)).status_code == 200
    assert Template.objects.count() == 1


def test_the_code_is_never_changed(admin_client, template, address):
    data = form(template.variables, code="RENAMED", name="Renamed")

    admin_client.post(address("template", "change", "ORDER_CREATED"), data)

    renamed = Template.objects.get()
    assert (renamed.code, renamed.name) == ("ORDER_CREATED", "Renamed")


def test_a_variable_the_live_wording_uses_is_not_taken_away(admin_client, template, address):
    page = admin_client.post(address("template", "change", "ORDER_CREATED"), form(VALID))

    assert "The live wording (e-mail, any language) needs more" in page.text
    assert "order_number" in Template.objects.get().variables


def test_variables_that_come_with_the_code_are_shown_only(admin_client, template, address):
    Template.objects.update(shipped_hash="abc")

    page = admin_client.get(address("template", "change", "ORDER_CREATED"))
    answer = admin_client.post(address("template", "change", "ORDER_CREATED"), form(VALID, name="Renamed"))

    assert 'name="variables"' not in page.text
    assert "ORD-1" in page.text
    assert answer.status_code == 302
    changed = Template.objects.get()
    assert (changed.name, list(changed.variables)) == ("Renamed", ["order_number"])


def test_templates_are_disabled_and_enabled_with_an_entry_in_the_history(admin_client, template, address):
    other = make_template("OTHER")
    selected = {"_selected_action": ["ORDER_CREATED", "OTHER"], "index": "0"}
    here = address("template", "changelist")

    disabled = admin_client.post(here, {**selected, "action": "disable"}, follow=True)
    again = admin_client.post(here, {**selected, "action": "disable"}, follow=True)
    other.refresh_from_db()
    was_disabled_at = other.disabled_at
    only_disabled = admin_client.get(here, {"state": "disabled"})
    enabled = admin_client.post(here, {**selected, "action": "enable"}, follow=True)

    assert "2 templates disabled." in disabled.text
    assert "0 templates disabled." in again.text
    assert was_disabled_at is not None
    assert "OTHER" in only_disabled.text
    assert "2 templates enabled." in enabled.text
    assert not Template.objects.filter(disabled_at__isnull=False).exists()
    messages = LogEntry.objects.filter(object_id="OTHER").order_by("pk").values_list("change_message", flat=True)
    assert list(messages) == ["Disabled.", "Enabled."]


def test_only_who_may_change_templates_disables_them(log_in, template, address):
    client = log_in("view_template")
    selected = {"_selected_action": ["ORDER_CREATED"], "index": "0", "action": "disable"}

    client.post(address("template", "changelist"), selected)

    assert Template.objects.get().disabled_at is None


def test_a_template_that_was_never_published_is_deleted(admin_client, template, address):
    Template.objects.create(code="TRIAL", category_id="orders", name="Trial")
    admin_client.post(address("template", "edit_wording", "TRIAL"))

    answer = admin_client.post(address("template", "delete", "TRIAL"), {"post": "yes"})

    assert answer.status_code == 302
    assert not Template.objects.filter(code="TRIAL").exists()
    assert not TemplateVersion.objects.filter(template="TRIAL").exists()


@pytest.mark.parametrize("code", ["NOTE_3A", "NOTE_5F5F_2F"])
def test_a_code_that_looks_like_an_escape_leads_to_its_template(admin_client, address, code):
    template = make_template(code)

    page = admin_client.get(address("template", "change", code))
    (button,) = re.findall(r'action="([^"]+/edit-wording/)"', page.text)
    draft = admin_client.post(button)
    discarded = admin_client.post(draft.url.replace("change", "delete"), {"post": "yes"})

    assert "Live wording: v1" in page.text
    assert admin_client.get(button).url == discarded.url == address("template", "change", code)
    assert list(template.versions.values_list("number", flat=True)) == [1]


def test_a_category_keeps_its_code(admin_client, template, address):
    fields = {
        "code": "other",
        "name": "Your orders",
        "quiet_hours": "nothing",
        "daily_cap": "3",
        "defaults": '{"sms": "off"}',
    }
    admin_client.post(address("category", "change", "orders"), fields)

    category = Category.objects.get()
    assert (category.code, category.name, category.quiet_hours) == ("orders", "Your orders", "nothing")
    assert (category.daily_cap, category.defaults) == (3, {"sms": "off"})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"daily_cap": "0"}, "greater than or equal to 1"),
        ({"defaults": '{"smss": "off"}'}, "No channel &#x27;smss&#x27; (did you mean &#x27;sms&#x27;?)"),
        ({"defaults": '{"sms": "never"}'}, "No cadence &#x27;never&#x27;"),
        ({"defaults": "[1]"}, "not as a list"),
        ({"quiet_hours": "always"}, "Select a valid choice"),
    ],
)
def test_a_category_the_planner_could_not_read_is_refused(admin_client, template, address, wrong, message):
    fields = {"code": "orders", "name": "Orders", "quiet_hours": "urgent", "defaults": "{}"}

    page = admin_client.post(address("category", "change", "orders"), {**fields, **wrong})

    assert message in page.text
    assert Category.objects.get().name == "orders"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"escalation": '{"in_app": 60}'}, "No channel &#x27;in_app&#x27;"),
        ({"digest": '{"window": 0}'}, "&#x27;window&#x27; is 0"),
    ],
)
def test_rules_the_planner_could_not_read_are_refused(admin_client, template, address, wrong, message):
    fields = {"name": "Order", "category": "orders", "priority": "2", "variables": "{}"}

    page = admin_client.post(address("template", "change", "ORDER_CREATED"), {**fields, **wrong})

    assert message in page.text


def test_how_a_template_is_sent_is_the_staffs(admin_client, template, address):
    fields = {"name": "Order", "category": "orders", "priority": "2", "escalation": '{"email": 60}', "digest": ""}
    variables = '{"order_number": {"sample": "ORD-1", "required": true}}'

    admin_client.post(address("template", "change", "ORDER_CREATED"), {**fields, "variables": variables})

    template.refresh_from_db()
    assert (template.escalation, template.digest) == ({"email": 60}, {})


def test_a_category_with_templates_is_not_deleted(admin_client, template, address):
    page = admin_client.post(address("category", "delete", "orders"), {"post": "yes"})

    assert "Cannot delete category" in page.text
    assert Category.objects.exists()
