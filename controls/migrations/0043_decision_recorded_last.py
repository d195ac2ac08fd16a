"""Of the decisions on a control the one recorded last is read without a sort."""

from django.contrib.postgres.operations import (
    AddIndexConcurrently,
    RemoveIndexConcurrently,
)
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # made while others write

    dependencies = [
        ("controls", "0042_two_officers_for_a_providers_document"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="responsibilitydecision",
            index=models.Index(
                fields=["implementation", "-known_from", "-id"],
                name="decision_recorded_last",
            ),
        ),
        RemoveIndexConcurrently(
            model_name="responsibilitydecision", name="decision_latest"
        ),
    ]
