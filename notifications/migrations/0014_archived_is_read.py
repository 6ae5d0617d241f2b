from django.db import migrations
from django.db.models import F


def read_what_is_archived(apps, schema_editor):
    """Before, what business code had archived could be marked as unread and stay in the archive."""
    items = apps.get_model("notifications", "Notification").objects
    items.filter(archived_at__isnull=False, read_at__isnull=True).update(read_at=F("archived_at"))
    items.filter(read_at__isnull=False, seen_at__isnull=True).update(seen_at=F("read_at"))


class Migration(migrations.Migration):
    dependencies = [("notifications", "0013_inbox_archive_snooze_actions")]
    operations = [migrations.RunPython(read_what_is_archived, migrations.RunPython.noop)]
