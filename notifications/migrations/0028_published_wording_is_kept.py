"""
What is published is not changed by anybody, not even by a line of SQL: what is on its way would be sent in other words.

SQLite loses a table's triggers when a migration makes the table anew, and refuses to make one anew that a trigger of another
table reads: a migration that alters `TemplateVersion` or `TemplateContent` takes these away first and puts them back last
(`take_away`, `put_up`). A test sees it if it does not.
"""

from django.db import migrations

MESSAGE = "a published version is not changed: begin a draft"
CONTENT, VERSION = "notifications_templatecontent", "notifications_templateversion"
WORDS = ("version_id", "channel", "locale", "variant", "title", "body", "html")
NAMES = {CONTENT: "published_content_is_kept", VERSION: "published_version_is_kept"}
#: `origin` and the dates are facts about it; `created_by` and `edited_by` go with an account that is erased.
FIXED = ("template_id", "number", "published_at")


def put_up(apps, schema_editor):
    """Put up the triggers."""
    is_postgres = schema_editor.connection.vendor == "postgresql"
    differs = "IS DISTINCT FROM" if is_postgres else "IS NOT"
    is_published = f"EXISTS (SELECT 1 FROM {VERSION} WHERE id = OLD.version_id AND published_at IS NOT NULL)"
    words_differ = " OR ".join(f"NEW.{name} {differs} OLD.{name}" for name in WORDS)
    facts_differ = " OR ".join(f"NEW.{name} {differs} OLD.{name}" for name in FIXED)
    conditions = {
        CONTENT: f"({words_differ}) AND {is_published}",
        VERSION: f"OLD.published_at IS NOT NULL AND ({facts_differ})",
    }
    for table, condition in conditions.items():
        _create(schema_editor, table, condition, is_postgres=is_postgres)


def take_away(apps, schema_editor):
    """Take the triggers away."""
    is_postgres = schema_editor.connection.vendor == "postgresql"
    for table, name in NAMES.items():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}{f' ON {table}' if is_postgres else ''}")
        if is_postgres:
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {name}()")


def _create(schema_editor, table, condition, *, is_postgres):
    name = NAMES[table]
    if not is_postgres:
        schema_editor.execute(
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        )
        return
    # The condition reads another table, which a trigger's WHEN may not.
    schema_editor.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {condition} THEN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
        "RETURN NEW; END $$"
    )
    schema_editor.execute(
        f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
    )


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0027_version_edited'),
    ]

    operations = [
        migrations.RunPython(put_up, take_away),
    ]
