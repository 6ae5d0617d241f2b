from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0030_permissions_of_roles")]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="is_test",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        )
    ]
