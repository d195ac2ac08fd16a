"""The newest evidence of a control is found without reading all of it."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # made while others write

    dependencies = [
        ("evidence", "0029_arrivals_are_spared"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="proof",
            index=models.Index(
                models.F("implementation"),
                models.OrderBy(models.F("starts"), descending=True),
                models.OrderBy(models.F("link"), descending=True),
                name="proof_newest_of_control",
            ),
        ),
    ]
