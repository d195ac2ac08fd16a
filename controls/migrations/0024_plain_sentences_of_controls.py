"""A control says in one plain sentence what it asks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0023_fast_as_history_grows"),
    ]

    operations = [
        migrations.AddField(
            model_name="control",
            name="summary",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]
