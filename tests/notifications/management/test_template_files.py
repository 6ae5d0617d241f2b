"""Edits of templates move between environments in files: as drafts, all or none, and byte for byte the same."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command

from notifications.models import Category, Template, TemplateContent, TemplateVersion
from notifications.services import templates
from notifications.types import Priority
from tests.factories import make_template

CONTENTS = {
    ("in_app", ""): {"title": 'Say "hi" to \\ {{ name }}', "body": "\n\nHere it is.\n"},
    ("email", ""): {
        "title": "Hello",
        "body": "Dear {{ name }},\n\n  it is here.",
        "html": '<p class="x">\n{{ name }}</p>',
    },
    ("email", "de"): {"title": "Hallo", "body": "Liebe {{ name }},\n\nes ist da."},
    ("sms", "de-AT"): {"body": "Da."},
}
VARIABLES = {
    "name": {"sample": "Ann", "required": True},
    "lines": {"sample": [{"n": 1, "name": "Cup"}], "required": False},
    "nothing": {"sample": None, "required": False},
}


@pytest.fixture
def thing(db):
    template = make_template(
        "THING_DONE", category="things", contents=CONTENTS, variables=VARIABLES, priority=Priority.HIGH
    )
    Template.objects.filter(pk=template.pk).update(
        description="What it is for.", escalation={"sms": 60}, digest={"window": 600, "first_now": True}
    )
    return template


@pytest.fixture
def folder(thing, tmp_path):
    """What was exported of THING_DONE."""
    run("export", tmp_path)
    return tmp_path


def run(verb, *arguments, **options):
    out = StringIO()
    call_command(f"{verb}_notification_templates", *map(str, arguments), stdout=out, **options)
    return out.getvalue()


def edit(folder, *changes, name="thing_done.toml"):
    path = folder / name
    for old, new in changes:
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
    return path


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def everything():
    rows = (Category, Template, TemplateVersion, TemplateContent, LogEntry)
    return [list(model.objects.order_by("pk").values()) for model in rows]


def test_the_round_trip_is_byte_for_byte_the_same(folder, admin_user, tmp_path_factory):
    Template.objects.update(live_version=None)
    TemplateVersion.objects.all().delete()
    Template.objects.all().delete()
    Category.objects.all().delete()

    said = run("import", folder, by="admin", publish=True)
    again = tmp_path_factory.mktemp("again")
    run("export", again)

    assert said.startswith("category things: created\nTHING_DONE: created v1\n  email: new\n")
    assert bytes_of(again) == bytes_of(folder)
    assert set(bytes_of(folder)) == {"categories.toml", "thing_done.toml"}
    assert Template.objects.get().variables == VARIABLES


def test_what_is_shipped_goes_round_as_well(shipped_templates, admin_user, tmp_path):
    run("export", tmp_path)
    before = bytes_of(tmp_path)

    said = run("import", tmp_path, by="admin")

    assert {line.rpartition(": ")[2] for line in said.splitlines()} == {"unchanged"}
    assert "unchanged" in run("export", tmp_path)
    assert bytes_of(tmp_path) == before


def test_what_is_imported_becomes_a_draft_and_nothing_live_changes(folder, thing, admin_user):
    edit(folder, ("es ist da", "es ist fertig"), ('priority = "high"', 'priority = "low"'))
    edit(folder, ('name = "things"', 'name = "Other"'), name="categories.toml")

    said = run("import", folder, by="admin")

    left = "(left as it is; --publish takes it over)"
    assert said == (
        f"category things: unchanged\n  name: 'things' → 'Other' {left}\n"
        f"THING_DONE: draft v2\n  email, de: body\n  priority: high → low {left}\n"
    )
    thing.refresh_from_db()
    draft = thing.versions.get(published_at=None)
    assert (thing.live_version.number, thing.priority) == (1, Priority.HIGH)
    assert (draft.created_by, draft.edited_by) == (admin_user, admin_user)
    assert "es ist fertig" in draft.contents.get(channel="email", locale="de").body
    assert LogEntry.objects.get(object_id=str(draft.pk)).change_message == "Imported."


def test_published_at_once_if_it_is_asked_for_with_all_that_differs(folder, thing, admin_user):
    edit(folder, ("es ist da", "es ist fertig"), ('priority = "high"', 'priority = "low"'))
    edit(folder, ("required = false", "required = true"), name="categories.toml")

    said = run("import", folder / "thing_done.toml", folder / "categories.toml", by="admin", publish=True)

    assert "THING_DONE: published v2\n  email, de: body\n  priority: high → low\n" in said
    assert "category things: changed\n  required: False → True\n" in said
    thing.refresh_from_db()
    assert (thing.live_version.number, thing.priority, thing.category.required) == (2, Priority.LOW, True)
    messages = LogEntry.objects.filter(object_id="THING_DONE").order_by("pk").values_list("change_message", flat=True)
    assert list(messages) == ["Imported: priority: high → low.", "Published v2."]


@pytest.mark.parametrize("options", [{}, {"by": "admin"}, {"by": "admin", "publish": True}], ids=str)
def test_a_dry_run_says_it_all_and_changes_nothing(folder, thing, admin_user, options):
    edit(folder, ("es ist da", "es ist fertig"))
    (folder / "new_one.toml").write_text('code = "NEW_ONE"\nname = "New"\ncategory = "things"\n[sms]\nbody = "x"\n')
    before = everything()

    said = run("import", folder, dry_run=True, **options)

    assert everything() == before
    assert "  email, de: body\n" in said
    assert "NEW_ONE: created v1\n  sms: new\nTHING_DONE: " in said
    assert said.endswith("Dry run: nothing was changed.\n")


def test_the_second_time_nothing_changes(folder, thing, admin_user):
    edit(folder, ("es ist da", "es ist fertig"))
    run("import", folder, by="admin")
    before = everything()

    assert "THING_DONE: draft v2" in run("import", folder, by="admin")
    assert everything() == before


def test_somebody_elses_draft_is_not_written_over_unless_it_is_said(folder, thing, admin_user):
    draft = templates.draft_of(thing, user=admin_user)
    draft.contents.filter(channel="sms").update(body="Mine.")
    edit(folder, ("es ist da", "es ist fertig"))

    with pytest.raises(CommandError, match=r"THING_DONE has a draft \(v2\) with other words.*--replace-drafts"):
        run("import", folder, by="admin")
    assert draft.contents.get(channel="sms").body == "Mine."

    assert "THING_DONE: draft v2" in run("import", folder, by="admin", replace_drafts=True)
    assert draft.contents.get(channel="sms").body == "Da."


def test_the_contract_with_the_code_is_not_imported(folder, thing, admin_user):
    Template.objects.update(shipped_hash="abc")
    edit(folder, ('name = "Ann"', 'name = "Bea"'))

    run("import", folder, by="admin", publish=True)

    assert Template.objects.get().variables == VARIABLES


WORDING = 'code = "THING_DONE"\nname = "T"\ncategory = "things"\n[variables]\nname = 1\n\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("code = \n", "line 1"),
        ("\udcff", "cannot be read"),
        ('code = "X"\n', "'name' is missing"),
        ('code = 3\nname = "T"\ncategory = "things"\n', "line 1: code is 3; write a text."),
        (WORDING.replace("[var", "sms = 1\n[var"), "line 4: sms is 1; write a table."),
        (
            WORDING + '[email]\nbody = """\n\nHi\n{{ nam }}\n"""\n',
            "line 11: [email] body, line 2: The template declares",
        ),
        (WORDING + '[email]\nbody = """a\n{% x %}"""\n', "line 9: [email] body, line 2: Templates have no tag"),
        (WORDING + '[email.de]\nbody = "{{ nam }}"\n', "line 8: [email.de] body, line 1: "),
        (WORDING + "[email]\nbody = 3\n", "line 8: [email] body is 3; write a text."),
        (WORDING + '[email]\nbdy = "x"\n', "line 8: [email] has no 'bdy' (did you mean 'body'?)"),
        (WORDING + '[fax]\nbody = "x"\n', "line 7: no channel 'fax'"),
        (WORDING + '[email.deutsch-]\nbody = "x"\n', "line 7: [email.deutsch-]: 'deutsch-' is no language tag"),
        (WORDING + '[in_app]\nbody = "x"\n', "[in_app] title, line ?: An inbox item needs a title."),
        (WORDING + '[sms]\nbody = "x"\nhtml = "x"\n', "line 9: [sms] html, line ?: HTML is for e-mails only"),
        (WORDING + '[email]\nbody = "\\u0000"\n', "line 8: [email] body has a NUL character"),
        (WORDING.replace("= 1", "= 2026-01-01") + '[sms]\nbody = "x"\n', "line 5: [variables] name is datetime.date"),
        (WORDING.replace("= 1", "= nan") + '[sms]\nbody = "x"\n', "line 5: [variables] name is nan"),
        (WORDING + "[variables_in_json]\na = '{'\n[sms]\nbody = \"x\"\n", "line 8: [variables_in_json] a is '{'"),
        (WORDING.replace("things", "thing") + '[sms]\nbody = "x"\n', "line 3: no category 'thing'"),
        (WORDING.replace("THING_DONE", "thing done") + '[sms]\nbody = "x"\n', "code: Use capital letters"),
        (WORDING, "no wording"),
        (WORDING.replace("[v", "actions = [{}]\n[v") + '[sms]\nbody = "x"\n', "line 4: no action {}"),
        (WORDING.replace("[v", 'priority = "top"\n[v') + '[sms]\nbody = "x"\n', "line 4: no priority 'top'"),
        (WORDING.replace("[v", "[digest]\nwindow = 0\n[v") + '[sms]\nbody = "x"\n', "line 4: [digest]: 'window' is 0"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_place_and_nothing_changes(
    folder, thing, admin_user, text, said
):
    edit(folder, ('name = "things"', 'name = "Other"'), name="categories.toml")
    path = folder / "zz.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    # The good file comes first, and must not be taken either.
    edit(folder, ("THING_DONE", "ANOTHER"))
    before = everything()

    with pytest.raises(CommandError) as error:
        run("import", folder, by="admin", publish=True)

    assert str(path) in str(error.value)
    assert said in str(error.value)
    assert str(error.value).endswith("Nothing was changed.")
    assert everything() == before


def test_a_variable_that_only_the_file_declares_is_no_help_where_the_code_declares_them(folder, thing, admin_user):
    Template.objects.update(shipped_hash="abc")
    edit(folder, ("[variables]", "[variables]\nextra = 1"), ("es ist da", "{{ extra }}"))

    with pytest.raises(CommandError, match=r"line \d+: \[email.de\] body, line 3: The template declares no variable"):
        run("import", folder, by="admin", publish=True)


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        (["{}"], {}, "--by USER"),
        (["{}"], {"by": "nobody"}, "There is no account 'nobody'"),
        (["{}/none.toml"], {"by": "admin"}, "there is no such file or folder"),
        (["{}/empty"], {"by": "admin"}, "there is no *.toml in it"),
        (["{}", "{}/empty/../copy.toml"], {"by": "admin"}, "THING_DONE stands in"),
    ],
)
def test_what_cannot_be_imported_is_said_with_the_cure(folder, admin_user, arguments, options, said):
    (folder / "empty").mkdir()
    if "copy" in arguments[-1]:
        (folder / "copy.toml").write_bytes((folder / "thing_done.toml").read_bytes())

    with pytest.raises(CommandError) as error:
        run("import", *(argument.format(folder) for argument in arguments), **options)

    assert said in str(error.value)


def test_one_template_is_exported_by_its_code(folder, thing, tmp_path):
    make_template("OTHER", category="things")

    said = run("export", tmp_path / "new", "OTHER")

    assert {path.name for path in (tmp_path / "new").iterdir()} == {"categories.toml", "other.toml"}
    assert said.endswith("other.toml: written\n")


def test_a_code_that_is_not_there_is_not_exported(thing, tmp_path):
    with pytest.raises(CommandError, match=r"No template 'THING' \(did you mean 'THING_DONE'\?\)"):
        run("export", tmp_path, "THING")


def test_a_folder_that_cannot_be_made_is_named(thing, tmp_path):
    (tmp_path / "file").write_text("x")

    with pytest.raises(CommandError, match="file"):
        run("export", tmp_path / "file")
