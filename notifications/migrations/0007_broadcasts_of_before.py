from django.db import migrations
from django.db.models import Count, F


def note_their_end(apps, schema_editor):
    """Broadcasts of the former release were inserted with their events: expanded at once."""
    broadcasts = apps.get_model('notifications', 'Broadcast').objects
    broadcasts.update(
        state='expanded',
        due_at=F('created_at'),
        finished_at=F('created_at'),
        expanded_count=F('recipient_count'),
    )
    for row in broadcasts.annotate(found=Count('events')).values('pk', 'found').iterator():
        broadcasts.filter(pk=row['pk']).update(event_count=row['found'])


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0006_broadcast_expansion'),
    ]

    operations = [
        migrations.RunPython(note_their_end, migrations.RunPython.noop),
    ]
