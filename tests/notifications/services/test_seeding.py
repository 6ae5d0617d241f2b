"""Seeding is repeatable and leaves alone what staff edited."""

from __future__ import annotations

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from notifications import registry
from notifications.models import Category, Template, TemplateContent, TemplateVersion
from tests.factories import publish_version

FILE = """
code = "THING_DONE"
name = "Thing done"
category = "things"

[variables]
name = "Thing"

[optional_variables]
note = ""

[in_app]
title = "{{ name }} is done"
body = "{{ note }}"

[in_app.de]
title = "{{ name }} ist fertig"
body = "{{ note }}"
"""


@pytest.fixture
def shipped(db, tmp_path, monkeypatch):
    """Return the folder of the only app that ships templates."""
    folder = tmp_path / "notification_templates"
    folder.mkdir()
    (folder / "categories.toml").write_text('[things]\nname = "Things"\nrequired = true\n')
    (folder / "thing_done.toml").write_text(FILE)
    (config,) = [config for config in apps.get_app_configs() if config.label == "orders"]
    monkeypatch.setattr(config, "path", str(tmp_path))
    monkeypatch.setattr(apps, "get_app_configs", lambda: [config])
    return folder


@pytest.fixture(autouse=True)
def guard(monkeypatch):
    monkeypatch.setattr(registry, "_guards", {"thing-is-open": lambda said: True})
    monkeypatch.setattr(registry, "_answers", {"confirm": lambda pressed: None})


def seed():
    out = StringIO()
    call_command("seed_notification_templates", stdout=out)
    return out.getvalue()


def live():
    contents = TemplateContent.objects.filter(version=Template.objects.get(code="THING_DONE").live_version)
    return {(content.channel, content.locale): content.title for content in contents}


def test_the_first_time_everything_is_made(shipped):
    assert seed() == "THING_DONE: created\n"

    template = Template.objects.get()
    assert template.variables == {
        "name": {"sample": "Thing", "required": True},
        "note": {"sample": "", "required": False},
    }
    assert Category.objects.get().required
    assert live() == {("in_app", ""): "{{ name }} is done", ("in_app", "de"): "{{ name }} ist fertig"}
    assert TemplateVersion.objects.get().published_at is not None


def test_how_it_is_sent_is_shipped_with_it_and_then_the_staffs_but_the_guard_follows_the_code(shipped, guard):
    text = FILE.replace('name = "Thing done"', 'name = "Thing done"\nstill_valid = "thing-is-open"')
    rules = "[escalation]\nemail = 60\n[digest]\nwindow = 600\n"
    (shipped / "thing_done.toml").write_text(text.replace("[in_app]", f"{rules}[in_app]"))
    seed()
    template = Template.objects.get()
    assert (template.still_valid, template.escalation, template.digest) == (
        "thing-is-open",
        {"email": 60},
        {"window": 600},
    )

    (shipped / "thing_done.toml").write_text(FILE.replace("[in_app]", "[escalation]\nemail = 90\n[in_app]"))
    seed()

    template.refresh_from_db()
    assert (template.still_valid, template.escalation) == ("", {"email": 60})


CATEGORY = '[things]\nname = "Things"\n'


def test_a_category_brings_what_holds_for_those_without_a_wish(shipped):
    (shipped / "categories.toml").write_text(
        CATEGORY + 'quiet_hours = "everything"\ndaily_cap = 3\ndefaults = { sms = "off" }\n'
    )

    seed()

    category = Category.objects.get()
    assert (category.quiet_hours, category.daily_cap, category.defaults) == ("everything", 3, {"sms": "off"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('things = "Things"\n', "category 'things' is a str"),
        (CATEGORY + "requierd = true\n", "has an unknown key 'requierd' (did you mean 'required'?)"),
        (CATEGORY + 'quiet_hours = "urgnet"\n', "quiet_hours is 'urgnet' (did you mean 'urgent'?)"),
        (CATEGORY + "daily_cap = 0\n", "daily_cap is 0; write a number above zero"),
        (CATEGORY + 'defaults = { smss = "off" }\n', "defaults: No channel 'smss'"),
    ],
    ids=["no table", "key", "quiet hours", "cap", "defaults"],
)
def test_a_wrong_category_is_named_with_its_fix(shipped, text, words):
    (shipped / "categories.toml").write_text(text)

    with pytest.raises(CommandError) as error:
        seed()

    assert "categories.toml" in str(error.value)
    assert words in str(error.value)


def test_the_second_time_nothing_changes(shipped):
    seed()

    assert seed() == "THING_DONE: unchanged\n"
    assert TemplateVersion.objects.count() == 1


def test_new_wording_is_a_new_version_and_the_old_one_stays(shipped):
    seed()
    (shipped / "thing_done.toml").write_text(FILE.replace("is done", "is ready"))

    assert seed() == "THING_DONE: updated\n"

    assert live()["in_app", ""] == "{{ name }} is ready"
    assert TemplateContent.objects.filter(title="{{ name }} is done").exists()


def test_what_staff_edited_is_kept_but_the_variables_follow_the_code(shipped):
    seed()
    publish_version(Template.objects.get(), {("in_app", ""): {"title": "Staff's words", "body": "x"}})
    (shipped / "thing_done.toml").write_text(FILE.replace('note = ""', 'note = ""\nextra = 1'))

    assert seed() == "THING_DONE: kept: edited by staff\n"
    assert seed() == "THING_DONE: unchanged\n"

    assert live() == {("in_app", ""): "Staff's words"}
    assert "extra" in Template.objects.get().variables


def test_what_staff_changed_about_a_category_or_template_is_kept(shipped):
    seed()
    Category.objects.update(name="Staff's name", required=False)
    Template.objects.update(name="Staff's name")
    (shipped / "thing_done.toml").write_text(FILE + "\n# changed\n")

    seed()

    assert Category.objects.get().name == "Staff's name"
    assert not Category.objects.get().required
    assert Template.objects.get().name == "Staff's name"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[in_app]", "[in_ap]"), "no channel 'in_ap' (did you mean 'in_app'?)"),
        (('category = "things"', 'category = "thing"'), "no category 'thing' in any categories.toml (did you mean"),
        (('code = "THING_DONE"', ""), "'code' is missing"),
        (("{{ name }} is done", "{{ nam }} is done"), "nam"),
        (("{{ name }} is done", "{% include 'x' %}"), "[in_app] title, line 1"),
        (("title =", "titel ="), "has no 'titel' (did you mean 'title'?)"),
        (
            ('name = "Thing done"', 'name = "Thing done"\npriority = "hihg"'),
            "no priority 'hihg' (did you mean 'high'?)",
        ),
        (('name = "Thing done"', "name = "), "thing_done.toml: Invalid"),
        (
            ('name = "Thing done"', 'name = "Thing done"\nstill_valid = "thing-is-opne"'),
            "no guard 'thing-is-opne' is registered (did you mean 'thing-is-open'?)",
        ),
        (
            ('name = "Thing done"', 'name = "Thing done"\nactions = ["confrim"]'),
            "no action 'confrim' is registered (did you mean 'confirm'?)",
        ),
        (('name = "Thing done"', 'name = "Thing done"\nactions = "confirm"'), "actions is 'confirm'; write a list"),
        (("[in_app]", "[escalation]\nemial = 60\n[in_app]"), "[escalation]: No channel 'emial'"),
        (("[in_app]", "[digest]\nwindow = 0\n[in_app]"), "[digest]: 'window' is 0"),
    ],
    ids=[
        "channel", "category", "code", "variable", "tag", "text", "priority", "toml", "guard", "action", "actions",
        "escalation", "digest",
    ],
)  # fmt: skip
def test_a_wrong_file_is_named_with_its_fix_and_nothing_is_stored(shipped, change, words):
    (shipped / "thing_done.toml").write_text(FILE.replace(*change))

    with pytest.raises(CommandError) as error:
        seed()

    assert "thing_done.toml" in str(error.value)
    assert words in str(error.value)
    assert not Template.objects.exists()
