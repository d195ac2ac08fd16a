"""An export names the files of held reports that lie in it."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("evidence", "0061_flagged_files"),
    ]

    operations = [
        migrations.AddField(
            model_name="export",
            name="reports",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                blank=True,
                editable=False,
                null=True,
                size=None,
            ),
        ),
    ]
