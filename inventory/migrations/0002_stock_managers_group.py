"""Make the group whose members hear of low stock."""

from django.db import migrations


def make_group(apps, schema_editor):
    """Make it unless staff did so before us."""
    apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias).get_or_create(name="stock managers")


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("inventory", "0001_initial"),
    ]

    operations = [
        # Backwards the group stays: who belongs to it is people's work.
        migrations.RunPython(make_group, migrations.RunPython.noop),
    ]
