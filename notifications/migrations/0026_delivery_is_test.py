from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0025_statistics")]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="is_test",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        )
    ]
