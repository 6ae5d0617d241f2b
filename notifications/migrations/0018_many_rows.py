"""For tables of many rows: a list of what is unread, and how PostgreSQL sweeps them. docs/scaling.md has the reasons."""

from django.db import migrations, models
from django.db.models import Q

#: A hundredth of a table, where PostgreSQL's own is a fifth: of 10 million rows, 2 million would be dead before it sweeps.
SWEPT = {
    "autovacuum_vacuum_threshold": 5000,
    "autovacuum_vacuum_scale_factor": 0.01,
    "autovacuum_analyze_threshold": 5000,
    "autovacuum_analyze_scale_factor": 0.01,
}
#: Rows that are only added are swept too, so that what was frozen once need not be read again.
ADDED = {"autovacuum_vacuum_insert_threshold": 50000, "autovacuum_vacuum_insert_scale_factor": 0.02}
TABLES = {
    # Lives a day in three versions: with room beside it, the next version takes the place of the one before the last.
    "notifications_event": SWEPT | {"fillfactor": 50},
    "notifications_notification": SWEPT | ADDED,
    "notifications_delivery": SWEPT | ADDED,
    "notifications_attempt": SWEPT | ADDED,
    # Counted up many times a day, in a column that no index holds: with room in its page, no index is touched.
    "notifications_frequencycount": {"fillfactor": 70},
}


def keep_so(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, options in TABLES.items():
        written = ", ".join(f"{name} = {value}" for name, value in options.items())
        schema_editor.execute(f"ALTER TABLE {table} SET ({written})")


def keep_as_it_comes(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, options in TABLES.items():
        schema_editor.execute(f"ALTER TABLE {table} RESET ({', '.join(options)})")


class Migration(migrations.Migration):
    dependencies = [("notifications", "0017_api_keys")]
    operations = [
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                fields=["recipient", "-sort_key"],
                name="notification_unread_list",
                condition=Q(
                    listed_at__isnull=False, hidden_at__isnull=True, read_at__isnull=True, snoozed_until__isnull=True
                ),
            ),
        ),
        migrations.RunPython(keep_so, keep_as_it_comes),
    ]
