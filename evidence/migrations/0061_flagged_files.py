"""Flagged files, few among many, are found by an index of their own."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # made while others write

    dependencies = [
        ("evidence", "0060_imports_of_findings"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="evidencefile",
            index=models.Index(
                condition=models.Q(("flags", []), _negated=True),
                fields=["revision"],
                name="file_flagged",
            ),
        ),
    ]
