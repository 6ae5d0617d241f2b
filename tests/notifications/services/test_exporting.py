"""What is exported is in the form that apps ship, the same text for the same template, and nothing of it is lost."""

from __future__ import annotations

import re
import tomllib

import pytest

from notifications.models import Category, Template, TemplateContent
from notifications.services import exporting, templates, toml_writing
from notifications.services.shipped import read_all
from tests.factories import make_template, publish_version

pytestmark = pytest.mark.django_db

NASTY = [
    "",
    "plain",
    'quotes " and """ and """"',
    "back\\slash \\n",
    "\ttab\rreturn\x07bell\x7f",
    "a\u2028b\x85c",
    "é 🎉",
    "several\nlines",
    'ends with a quote"',
]
SAMPLES = [*NASTY, 0, -5, 1.5, 1e16, True, False, [], {}, [1, "two", [3]], {"b": 1, "a": {"x y": []}}, [{"n": 1}, {}]]


def text_of(code, **options):
    text = exporting.texts([code], **options)[code]
    assert text is not None
    return text


@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
def test_a_value_is_read_back_as_it_was(sample):
    assert tomllib.loads(toml_writing.table("some.table", [("a key", sample)])) == {
        "some": {"table": {"a key": sample}}
    }


@pytest.mark.parametrize("text", [*NASTY, "\\\nends in a backslash\\\n  indented"], ids=repr)
def test_prose_is_read_back_but_for_the_breaks_around_it(text):
    written = toml_writing.table("email", [("body", text)], prose=["body"])

    assert tomllib.loads(written)["email"]["body"].strip("\n") == text


@pytest.mark.parametrize("sample", [None, [None], {"a": [{"b": None}]}, 2**63], ids=repr)
def test_what_toml_has_no_form_for_stands_as_json(sample):
    make_template("THING_DONE", contents={("sms", ""): {"body": "x"}}, variables={"a": {"sample": sample}})

    written = tomllib.loads(text_of("THING_DONE"))

    assert "variables" not in written
    assert written["variables_in_json"]["a"] in {"null", "[null]", '{"a": [{"b": null}]}', str(2**63)}


@pytest.mark.usefixtures("shipped_templates")
def test_what_is_shipped_is_exported_as_it_was_shipped():
    for file in read_all():
        shipped, exported = tomllib.loads(file.source), tomllib.loads(text_of(file.code))
        # The words stand there line by line as they were shipped, so that one can be compared with the other.
        _, *shipped_words = re.split(r"^(?=\[[a-z_]+(?:\.de)?\]$)", file.source, flags=re.MULTILINE)
        for words in shipped_words:
            if not words.startswith(("[variables]", "[optional_variables]")):
                assert words.strip().replace('%}"""', '%}\n"""') in text_of(file.code)
        for table in ("variables", "optional_variables"):
            assert exported.get(table, {}) == shipped.get(table, {})


def test_the_order_does_not_depend_on_the_database():
    variables = {"b": {"sample": {"y": 1, "x": 2}}, "a": {"sample": 1}, "c": {"sample": 1, "required": False}}
    contents = {("email", "de"): {"body": "x"}, ("sms", ""): {"body": "x"}, ("in_app", ""): {"title": "t", "body": "x"}}
    make_template("THING_DONE", contents=contents, variables=variables)
    one = text_of("THING_DONE")

    template = Template.objects.get()
    template.variables = dict(reversed(variables.items())) | {"b": {"sample": {"x": 2, "y": 1}}}
    template.save()
    publish_version(template, dict(reversed(contents.items())))

    assert text_of("THING_DONE") == one
    assert [line for line in one.splitlines() if line.startswith("[")] == [
        "[variables]",
        "[optional_variables]",
        "[in_app]",
        "[sms]",
        "[email.de]",
    ]


def test_what_is_live_is_exported_unless_the_draft_is_asked_for(template, admin_user):
    draft = templates.draft_of(template, user=admin_user)
    TemplateContent.objects.filter(version=draft, channel="sms").update(body="Drafted.")

    assert "Drafted" not in text_of("ORDER_CREATED")
    assert "Drafted" in text_of("ORDER_CREATED", drafts=True)


def test_a_template_without_words_has_no_file(template):
    Template.objects.create(code="TRIAL", category_id="orders", name="Trial")

    assert exporting.texts(["TRIAL"]) == {"TRIAL": None}


def test_variants_are_not_left_out_in_silence(template):
    TemplateContent.objects.create(version=template.live_version, channel="sms", variant="b", body="x")

    with pytest.raises(exporting.NotExportable, match="ORDER_CREATED has the variant 'b'"):
        exporting.texts()


def test_categories_stand_with_all_that_differs_from_the_default(template):
    Category.objects.create(
        code="stock",
        name="Stock",
        description="What runs out.",
        required=True,
        quiet_hours="everything",
        daily_cap=3,
        defaults={"sms": "off"},
    )

    assert exporting.categories() == (
        '[orders]\nname = "orders"\nrequired = false\n\n'
        '[stock]\nname = "Stock"\ndescription = "What runs out."\nrequired = true\nquiet_hours = "everything"\n'
        'daily_cap = 3\ndefaults = { sms = "off" }\n'
    )
