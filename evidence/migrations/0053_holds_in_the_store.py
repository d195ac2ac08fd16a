from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds a column with a default: no row is rewritten."""

    dependencies = [
        ("evidence", "0052_readings_of_aws_artifact"),
    ]

    operations = [
        migrations.AddField(
            model_name="blob",
            name="held_in_store",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
